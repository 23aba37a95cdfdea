"""The command line: parse, call the library, report. One file a verb."""
