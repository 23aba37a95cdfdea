"""loadput: an executable specification of how Linux KVM loads a vCPU and puts it back."""
