"""Lists, as far as a node's membership goes.

Mirrors: include/linux/list.h, lib/list_debug.c, v6.12. A node knows the list that it is on by the
CPU that the list belongs to; -1: none.
"""


def list_add(on: cpu):
    """A place for properties: a node that is on list ``on`` joins one.

    Mirrors: list_add(), __list_add_valid(), include/linux/list.h, v6.12
    """
    pass


def list_del(on: cpu, list: cpu):
    """A place for properties: a node that is on list ``on`` is taken off ``list``.

    Mirrors: list_del(), __list_del_entry_valid(), include/linux/list.h, v6.12
    """
    pass
