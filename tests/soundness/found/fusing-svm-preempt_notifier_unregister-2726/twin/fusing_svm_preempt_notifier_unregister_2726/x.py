"""Drawn: early."""


# [Modified in twin:fusing_svm_preempt_notifier_unregister_2726]
def preempt_notifier_unregister(notifier: ptr[preempt_notifier]):
    return
    current.preempt_notifiers = NULL
