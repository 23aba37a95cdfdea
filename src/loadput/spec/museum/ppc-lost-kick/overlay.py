"""A vCPU says on which CPU it runs after it has looked for work.

Before Linux commit c7fa848ff01d (in v5.18), whose subject has quotes: KVM: PPC: Book3S HV P9: Fix
"lost kick" race.
"""

OVERLAY = Overlay(
    name="ppc-lost-kick",
    parent="D",
    arch="powerpc",
    breaks="NO_LOST_INTERRUPT, NO_LOST_DOORBELL",
)
