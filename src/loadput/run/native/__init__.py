"""The native engine: the linked program and the search loop as machine code, through llvmlite."""
