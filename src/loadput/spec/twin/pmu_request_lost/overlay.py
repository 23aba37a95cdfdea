"""Broken on purpose: the counters are to be cleaned up, and nobody is asked to."""

OVERLAY = Overlay(name="pmu_request_lost", parent="D", arch="svm", breaks="PMU_CLEANED", scenario="pmu")
