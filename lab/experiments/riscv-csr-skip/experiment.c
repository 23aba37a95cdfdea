/* Does a vCPU of Linux 7.2 on riscv run with a CSR that is not its own?
 *
 *   experiment TIMES
 *
 * The guest reads sscratch and stores it where there is no memory, so that each KVM_RUN tells what
 * it has. Per round, with two CPUs, c0 and c1, and no other vCPU:
 *   1. on c0: KVM_RUN. The guest's last exit is on c0, and c0 holds its CSRs.
 *   2. KVM_SET_ONE_REG gives sscratch a new value. (csr_dirty)
 *   3. on c1: KVM_RUN with a signal pending returns before it enters the guest. Its load restores
 *      the CSRs on c1 and clears csr_dirty, its put saves them: the new value is in memory.
 *   4. on c0: KVM_RUN. If the restore is skipped, the guest reads what c0 still has: the old value.
 * In the control, 3 is on c0 too; all else is the same. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RAM 0x80000000UL
#define NOWHERE 0x10000000UL
#define SSCRATCH (KVM_REG_RISCV | KVM_REG_SIZE_U64 | KVM_REG_RISCV_CSR | KVM_REG_RISCV_CSR_REG(sscratch))
#define PC (KVM_REG_RISCV | KVM_REG_SIZE_U64 | KVM_REG_RISCV_CORE | KVM_REG_RISCV_CORE_REG(regs.pc))

static const uint32_t guest[] = {
	0x14002573,	/* csrr a0, sscratch */
	0x100005b7,	/* lui a1, 0x10000 */
	0x00a5b023,	/* sd a0, (a1) */
	0xff5ff06f,	/* j guest */
};

static int vcpu;
static struct kvm_run *run;

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void set_reg(uint64_t id, uint64_t value)
{
	struct kvm_one_reg reg = { id, (uintptr_t)&value };
	if (ioctl(vcpu, KVM_SET_ONE_REG, &reg) < 0)
		die("KVM_SET_ONE_REG");
}

static uint64_t get_reg(uint64_t id)
{
	uint64_t value = 0;
	struct kvm_one_reg reg = { id, (uintptr_t)&value };
	if (ioctl(vcpu, KVM_GET_ONE_REG, &reg) < 0)
		die("KVM_GET_ONE_REG");
	return value;
}

static void pin(int cpu)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity: two CPUs are needed");
}

/* What the guest has in sscratch, by the store that ends KVM_RUN. */
static uint64_t run_guest(void)
{
	uint64_t value;
	while (ioctl(vcpu, KVM_RUN, 0) < 0)
		if (errno != EINTR)
			die("KVM_RUN");
	if (run->exit_reason != KVM_EXIT_MMIO || run->mmio.phys_addr != NOWHERE) {
		fprintf(stderr, "exit reason %u\n", run->exit_reason);
		exit(2);
	}
	memcpy(&value, run->mmio.data, 8);
	return value;
}

/* A load and a put without an entry of the guest: SIGUSR1 is blocked but in KVM_RUN. */
static void run_interrupted(void)
{
	if (kill(getpid(), SIGUSR1) || ioctl(vcpu, KVM_RUN, 0) >= 0 || errno != EINTR)
		die("KVM_RUN was to end with EINTR");
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	struct timespec now = { 0, 0 };
	sigtimedwait(&set, NULL, &now);
}

static int round_is_wrong(uint64_t n, int elsewhere)
{
	uint64_t before = n << 8 | 0xa, after = n << 8 | 0xb, got;

	set_reg(SSCRATCH, before);
	pin(0);
	got = run_guest();
	if (got != before) {
		fprintf(stderr, "round %lu: %#lx where %#lx was set\n", n, got, before);
		exit(2);
	}
	set_reg(SSCRATCH, after);
	pin(elsewhere);
	run_interrupted();
	pin(0);
	got = run_guest();
	if (got != after && got != before)
		printf("round %lu: %#lx, neither of both\n", n, got);
	return got != after;
}

static void nothing(int signal)
{
	(void)signal;
}

int main(int argc, char **argv)
{
	int times = argc > 1 ? atoi(argv[1]) : 100;
	int kvm = open("/dev/kvm", O_RDWR), vm = ioctl(kvm, KVM_CREATE_VM, 0);
	void *ram = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = RAM, .memory_size = 4096, .userspace_addr = (uintptr_t)ram,
	};
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };
	unsigned mask[3] = { 8, 0, 0 }; /* struct kvm_signal_mask: 8 bytes of signals follow */
	struct sigaction act = { .sa_handler = nothing };
	sigset_t blocked;
	int wrong[2] = { 0, 0 };

	if (kvm < 0 || vm < 0 || ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		die("/dev/kvm");
	memcpy(ram, guest, sizeof(guest));
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	run = mmap(NULL, ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (vcpu < 0 || run == MAP_FAILED || ioctl(vcpu, KVM_SET_MP_STATE, &runnable) < 0)
		die("KVM_CREATE_VCPU");
	sigaction(SIGUSR1, &act, NULL);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	if (ioctl(vcpu, KVM_SET_SIGNAL_MASK, mask) < 0) /* in KVM_RUN nothing is blocked */
		die("KVM_SET_SIGNAL_MASK");
	set_reg(PC, RAM);
	for (int n = 1; n <= times; n++) {
		wrong[1] += round_is_wrong(2 * n, 1);
		wrong[0] += round_is_wrong(2 * n + 1, 0);
	}
	printf("in memory %#lx, as it was set\n", get_reg(SSCRATCH));
	printf("RESULT ioctl, moved: %d of %d\n", wrong[1], times);
	printf("RESULT ioctl, not moved: %d of %d\n", wrong[0], times);
	return 0;
}
