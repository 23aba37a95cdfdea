"""The lock as seven guarded rules a process; a step of the one thread is one rule of one process.

A process climbs four levels. At each it says so (``level``), says that it came last
(``last_in``), and then looks at the others one by one (``scan``): it passes one that is below, or
all while another came later. The thread turns preemption and interrupts off, so that nothing but
the rules moves.

Rules: begin, announce, come_last, skip_self, pass_one, climb, leave.
"""

PROCESSES = 5
LEVELS = 4

IDLE = 0
ANNOUNCE = 1
COME_LAST = 2
WAIT = 3
CRITICAL = 4

at: array[upto[4], 5]
wants: array[upto[4], 5]
level: array[upto[4], 5]
scan: array[upto[5], 5]
last_in: array[upto[4], 5]


@task
def filter_lock():
    """Any process takes any rule that its guard lets it take."""
    preempt_disable()
    local_irq_disable()
    while True:
        with atomic:
            i = choose(0, PROCESSES - 1)
            if at[i] == IDLE:
                wants[i] = 1
                at[i] = ANNOUNCE
            elif at[i] == ANNOUNCE:
                level[i] = wants[i]
                at[i] = COME_LAST
            elif at[i] == COME_LAST:
                last_in[wants[i]] = i
                scan[i] = 0
                at[i] = WAIT
            elif at[i] == WAIT:
                wait_for_one(i)
            else:
                level[i] = 0
                at[i] = IDLE


def wait_for_one(i: upto[4]):
    """skip_self, pass_one, climb."""
    k = scan[i]
    if k == PROCESSES:
        scan[i] = 0
        if wants[i] == LEVELS:
            at[i] = CRITICAL
        else:
            wants[i] += 1
            at[i] = ANNOUNCE
    elif k == i:
        scan[i] = k + 1
    else:
        assume(level[k] < wants[i] or last_in[wants[i]] != i)
        scan[i] = k + 1


@property_(source="ours")
@always
def MUTUAL_EXCLUSION() -> bool:
    """At most one process is in its critical section."""
    inside = 0
    for i in range(PROCESSES):
        if at[i] == CRITICAL:
            inside += 1
    return inside <= 1
