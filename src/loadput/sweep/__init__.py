"""A matrix of programs, patches or recordings, each decided by a job of its own."""
