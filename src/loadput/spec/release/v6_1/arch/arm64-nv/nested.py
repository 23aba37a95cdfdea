"""v6.1 has no nested virtualization: no guest has a guest."""

guest_nests = False
