"""Programs that nobody wrote, decided in every way there is: ``make soundness``."""
