/* The guest, per architecture: a loop that looks at a register and at memory of its own.
 *
 * Each turn it reads what it is told to do, one register that KVM loads with the vCPU, and a word of
 * a page that the host may take away; and stores what it saw where the host sees it. It takes
 * neither stack nor page tables. */
#ifndef GUEST_H
#define GUEST_H

enum { LOOP, EXIT, HALT };

/* At SHARED in the guest, one after the other for the vCPUs of a VM. */
struct shared {
	volatile uint32_t told;	 /* LOOP, EXIT, HALT */
	volatile uint32_t turns;
	volatile uint32_t seen_register, seen_memory;
	char rest[48];
};

#define PAGE 0x1000
#define PAGES 4 /* code, shared, probe; of x86 the first one is the vector table */

#if defined(__x86_64__)

#define RAM 0
#define CODE 0x1000
#define SHARED 0x2000
#define PROBE 0x3000
#define MSR_KERNEL_GS_BASE 0xc0000102

asm("	.pushsection .rodata\n"
    "	.code16\n"
    "guest_begin:\n"
    "	movl (%ebx), %esi\n"
    "	movl $0xc0000102, %ecx\n" /* what VMLOAD brings with the vCPU, or a user-return MSR */
    "	rdmsr\n"
    "	movl %eax, 8(%ebx)\n"
    "	movl 0x3000, %eax\n"
    "	movl %eax, 12(%ebx)\n"
    "	incl 4(%ebx)\n"
    "	pause\n"
    "	cmpl $1, %esi\n"
    "	je 1f\n"
    "	cmpl $2, %esi\n"
    "	jne guest_begin\n"
    "	hlt\n"
    "	jmp guest_begin\n"
    "1:	outb %al, $0x10\n"
    "	jmp guest_begin\n"
    "guest_iret:\n" /* of an NMI, which wakes a HLT */
    "	iretw\n"
    "guest_end:\n"
    "	.code64\n"
    "	.popsection\n");
extern const char guest_begin[], guest_iret[], guest_end[];

static void set_register(int vcpu, uint32_t value)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry one;
	} msr = { { .nmsrs = 1 }, { .index = MSR_KERNEL_GS_BASE, .data = value } };

	if (ioctl(vcpu, KVM_SET_MSRS, &msr) != 1)
		die("KVM_SET_MSRS");
}

static void make_machine(int vm)
{
	if (NEEDS_IRQCHIP && ioctl(vm, KVM_CREATE_IRQCHIP, 0))
		die("KVM_CREATE_IRQCHIP");
}

/* at: where the vCPU has its struct shared */
static void make_guest(int kvm, int vm, int vcpu, char *ram, uint64_t at)
{
	static struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[256];
	} cpuid;
	struct kvm_regs regs = { .rip = CODE, .rflags = 2, .rsp = SHARED, .rbx = at };
	struct kvm_sregs sregs;

	(void)vm;
	cpuid.head.nent = 256;
	if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid) || ioctl(vcpu, KVM_SET_CPUID2, &cpuid))
		die("KVM_SET_CPUID2");
	*(uint16_t *)(ram + 2 * 4) = CODE + (guest_iret - guest_begin);
	if (ioctl(vcpu, KVM_GET_SREGS, &sregs))
		die("KVM_GET_SREGS");
	sregs.cs.base = sregs.cs.selector = 0;
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs) || ioctl(vcpu, KVM_SET_REGS, &regs))
		die("KVM_SET_REGS");
}

/* An NMI as a device would send it: it is posted, and the vCPU is kicked or woken. */
static int send_interrupt(int vm, int vcpu, int index)
{
	struct kvm_msi msi = { .address_lo = 0xfee00000u | (unsigned)index << 12, .data = 0x400 };

	(void)vcpu;
	return ioctl(vm, KVM_SIGNAL_MSI, &msi);
}

static void share(const void *p)
{
	(void)p;
}

#elif defined(__riscv)

#define RAM 0x80000000ul
#define CODE 0x80000000ul
#define SHARED 0x80001000ul
#define PROBE 0x80002000ul
#define ONE_REG (KVM_REG_RISCV | KVM_REG_SIZE_U64)
#define SSCRATCH (ONE_REG | KVM_REG_RISCV_CSR | KVM_REG_RISCV_CSR_REG(sscratch))
#define CORE(name) (ONE_REG | KVM_REG_RISCV_CORE | KVM_REG_RISCV_CORE_REG(regs.name))

asm("	.pushsection .rodata\n"
    "	.balign 4\n"
    "	.option push\n"
    "	.option norvc\n"
    "guest_begin:\n"
    "	li t3, 0x80002000\n"
    "	li t4, 0x10000000\n" /* no memory there: a store exits */
    "1:	lw t1, 0(a0)\n"
    "	fence\n"
    "	csrr t2, sscratch\n"
    "	sw t2, 8(a0)\n"
    "	lw t2, 0(t3)\n"
    "	sw t2, 12(a0)\n"
    "	lw t2, 4(a0)\n"
    "	addi t2, t2, 1\n"
    "	sw t2, 4(a0)\n"
    "	li t2, 1\n"
    "	beq t1, t2, 2f\n"
    "	li t2, 2\n"
    "	bne t1, t2, 1b\n"
    "	wfi\n"
    "	j 1b\n"
    "2:	sw zero, 0(t4)\n"
    "	j 1b\n"
    "guest_end:\n"
    "	.option pop\n"
    "	.popsection\n");
extern const char guest_begin[], guest_end[];

static void set_one(int vcpu, uint64_t id, uint64_t value)
{
	struct kvm_one_reg reg = { id, (uintptr_t)&value };

	if (ioctl(vcpu, KVM_SET_ONE_REG, &reg))
		die("KVM_SET_ONE_REG");
}

static void set_register(int vcpu, uint32_t value)
{
	set_one(vcpu, SSCRATCH, value);
}

static void make_machine(int vm)
{
	(void)vm;
}

/* at: where the vCPU has its struct shared */
static void make_guest(int kvm, int vm, int vcpu, char *ram, uint64_t at)
{
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };

	(void)kvm, (void)vm, (void)ram;
	if (ioctl(vcpu, KVM_SET_MP_STATE, &runnable))
		die("KVM_SET_MP_STATE");
	set_one(vcpu, CORE(pc), CODE);
	set_one(vcpu, CORE(a0), at);
}

static int send_interrupt(int vm, int vcpu, int index)
{
	struct kvm_interrupt irq = { KVM_INTERRUPT_SET };

	(void)vm, (void)index;
	return ioctl(vcpu, KVM_INTERRUPT, &irq);
}

static void share(const void *p)
{
	(void)p;
}

#elif defined(__aarch64__)

#define RAM 0x80000000ul
#define CODE 0x80000000ul
#define SHARED 0x80001000ul
#define PROBE 0x80002000ul
#define TPIDR_EL1 ARM64_SYS_REG(3, 0, 13, 0, 4)
#define CORE (KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE)
#define PC (CORE | KVM_REG_ARM_CORE_REG(regs.pc))
#define X0 (CORE | KVM_REG_ARM_CORE_REG(regs.regs[0]))

asm("	.pushsection .rodata\n"
    "	.balign 4\n"
    "guest_begin:\n"
    "	movz x3, #0x8000, lsl #16\n"
    "	add x3, x3, #0x2, lsl #12\n"
    "	movz x4, #0x1000, lsl #16\n" /* no memory there: a store exits */
    "1:	ldr w1, [x0]\n"
    "	dmb sy\n"
    "	mrs x2, tpidr_el1\n"
    "	str w2, [x0, #8]\n"
    "	ldr w2, [x3]\n"
    "	str w2, [x0, #12]\n"
    "	ldr w2, [x0, #4]\n"
    "	add w2, w2, #1\n"
    "	str w2, [x0, #4]\n"
    "	dmb sy\n"
    "	cmp w1, #1\n"
    "	b.eq 2f\n"
    "	cmp w1, #2\n"
    "	b.ne 1b\n"
    "	wfi\n"
    "	b 1b\n"
    "2:	str wzr, [x4]\n"
    "	b 1b\n"
    "guest_end:\n"
    "	.popsection\n");
extern const char guest_begin[], guest_end[];

static void set_one(int vcpu, uint64_t id, uint64_t value)
{
	struct kvm_one_reg reg = { id, (uintptr_t)&value };

	if (ioctl(vcpu, KVM_SET_ONE_REG, &reg))
		die("KVM_SET_ONE_REG");
}

static void set_register(int vcpu, uint32_t value)
{
	set_one(vcpu, TPIDR_EL1, value);
}

static void make_machine(int vm)
{
	(void)vm;
}

/* at: where the vCPU has its struct shared */
static void make_guest(int kvm, int vm, int vcpu, char *ram, uint64_t at)
{
	struct kvm_vcpu_init init;

	(void)kvm, (void)ram;
	if (ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init) || ioctl(vcpu, KVM_ARM_VCPU_INIT, &init))
		die("KVM_ARM_VCPU_INIT");
	set_one(vcpu, PC, CODE);
	set_one(vcpu, X0, at);
}

static int send_interrupt(int vm, int vcpu, int index)
{
	struct kvm_irq_level line = {
		.irq = (unsigned)KVM_ARM_IRQ_TYPE_CPU << KVM_ARM_IRQ_TYPE_SHIFT |
		       (unsigned)index << KVM_ARM_IRQ_VCPU_SHIFT,
		.level = 1,
	};

	(void)vcpu;
	return ioctl(vm, KVM_IRQ_LINE, &line);
}

/* The guest's MMU is off, so without FEAT_S2FWB it goes past the caches. */
static void share(const void *p)
{
	asm volatile("dc civac, %0; dsb sy" : : "r"(p) : "memory");
}

#else
#error "no guest is written for this architecture"
#endif

#endif
