/* Many vCPU threads that load, put, block, spin, exit, are preempted, moved and signalled.
 *
 *   exercise SECONDS VM...      a VM is a word, one letter per vCPU:
 *     S spins, P spins with PAUSE, H halts until it is woken, W wakes vCPU 0 of its VM and spins,
 *     X leaves to user space each few thousand instructions, where other ioctls follow
 *
 * Guest code needs no loader: x86 starts in real mode, riscv in S mode without paging, arm64 in EL1
 * with the MMU off. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { MAX_VCPUS = 64, VECTOR = 0x40, MEM = 0x10000 };

struct vcpu {
	int fd, vm, vmfd, id, kind, run_size;
	pthread_t thread;
	struct kvm_run *run;
	unsigned long exits;
};

static struct vcpu vcpus[MAX_VCPUS];
static int count, kvm;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static long check(long got, const char *what)
{
	if (got < 0)
		die(what);
	return got;
}

static void nap(long us)
{
	struct timespec t = { us / 1000000, us % 1000000 * 1000 };
	nanosleep(&t, NULL);
}

#if defined(__x86_64__)

#define GUEST_BASE 0UL
/* fs is the local APIC: mov dword fs:[reg], value */
#define APIC(reg, v) 0x64, 0x66, 0xc7, 0x06, (reg) & 255, (reg) >> 8, \
	(v) & 255, (v) >> 8 & 255, (v) >> 16 & 255, (v) >> 24 & 255
#define CODE(...) { (const unsigned char[]){ __VA_ARGS__ }, sizeof((unsigned char[]){ __VA_ARGS__ }) }

static const struct code { const unsigned char *at; size_t size; } codes[256] = {
	['S'] = CODE(0x40, 0xeb, 0xfd),				/* inc ax; jmp */
	['P'] = CODE(0xf3, 0x90, 0xeb, 0xfc),			/* pause; jmp */
	['H'] = CODE(APIC(0xf0, 0x1ff), 0xfb, 0xf4, 0xeb, 0xfc),	/* sti; hlt; jmp */
	['W'] = CODE(APIC(0xf0, 0x1ff), APIC(0x310, 0), APIC(0x300, 0x4000 | VECTOR),
		     0xb9, 0xff, 0xff, 0xe2, 0xfe, 0xeb, 0xe5),	/* mov cx; loop; jmp */
	['X'] = CODE(0xe6, 0x10, 0xb9, 0x00, 0x10, 0xe2, 0xfe, 0xeb, 0xf7), /* out; mov cx; loop; jmp */
};
static const unsigned char handler[] = { APIC(0xb0, 0), 0xcf };	/* end of interrupt; iret */

static void setup_vm(int vmfd)
{
	check(ioctl(vmfd, KVM_CREATE_IRQCHIP, 0), "KVM_CREATE_IRQCHIP");
}

static void setup_vcpu(struct vcpu *v, unsigned char *mem)
{
	struct kvm_sregs s;
	struct kvm_regs r = { .rflags = 2, .rip = 0x1000 + v->id * 0x100, .rsp = 0x8000 + v->id * 0x100 };
	struct kvm_mp_state m = { KVM_MP_STATE_RUNNABLE };
	unsigned char vector[] = { 0x00, 0x08, 0x00, 0x00 };

	memcpy(mem + VECTOR * 4, vector, 4);
	memcpy(mem + 0x800, handler, sizeof(handler));
	memcpy(mem + r.rip, codes[v->kind].at, codes[v->kind].size);
	check(ioctl(v->fd, KVM_GET_SREGS, &s), "KVM_GET_SREGS");
	s.cs.base = s.cs.selector = 0;
	s.fs.base = 0xfee00000;
	check(ioctl(v->fd, KVM_SET_SREGS, &s), "KVM_SET_SREGS");
	check(ioctl(v->fd, KVM_SET_REGS, &r), "KVM_SET_REGS");
	check(ioctl(v->fd, KVM_SET_MP_STATE, &m), "KVM_SET_MP_STATE");
}

static void wake(struct vcpu *v)
{
	struct kvm_msi msi = { .address_lo = 0xfee00000 | v->id << 12, .data = VECTOR };
	ioctl(v->vmfd, KVM_SIGNAL_MSI, &msi);
}

static void other_ioctl(struct vcpu *v)
{
	struct kvm_regs r;
	ioctl(v->fd, KVM_GET_REGS, &r);
}

#elif defined(__riscv)

#define GUEST_BASE 0x80000000UL
struct code { const uint32_t *at; size_t size; };
#define CODE(...) { (const uint32_t[]){ __VA_ARGS__ }, sizeof((uint32_t[]){ __VA_ARGS__ }) }
static const struct code codes[256] = {
	['S'] = CODE(0x00128293, 0xffdff06f),			/* addi t0,t0,1; j */
	['P'] = CODE(0x0100000f, 0xffdff06f),			/* pause; j */
	['H'] = CODE(0x10500073, 0x14417073, 0xff9ff06f),	/* wfi; csrci sip, SSIP; j */
	/* There is no IPI without AIA or SBI's IPI: ecall sbi_send_ipi(mask 1, base 0) */
	['W'] = CODE(0x00100513, 0x00000593, 0x00000613, 0x007358b7, 0x04988893, 0x00000813,
		     0x00000073, 0x000042b7, 0xfff28293, 0xfe029ee3, 0xfd9ff06f),
	['X'] = CODE(0x00000513, 0x00100893, 0x00000073, 0x000042b7, 0xfff28293, 0xfe029ee3,
		     0xfe9ff06f),				/* ecall: console putchar; delay; j */
};
#define REG(group, name) (KVM_REG_RISCV | KVM_REG_SIZE_U64 | (group) | (name))

static void set_reg(struct vcpu *v, uint64_t id, uint64_t value)
{
	struct kvm_one_reg r = { id, (uintptr_t)&value };
	check(ioctl(v->fd, KVM_SET_ONE_REG, &r), "KVM_SET_ONE_REG");
}

static void setup_vm(int vmfd)
{
	(void)vmfd;
}

static void setup_vcpu(struct vcpu *v, unsigned char *mem)
{
	struct kvm_mp_state m = { KVM_MP_STATE_RUNNABLE };
	uint64_t pc = GUEST_BASE + 0x1000 + v->id * 0x100;

	memcpy(mem + (pc - GUEST_BASE), codes[v->kind].at, codes[v->kind].size);
	set_reg(v, REG(KVM_REG_RISCV_CORE, KVM_REG_RISCV_CORE_REG(regs.pc)), pc);
	/* Software and external interrupts end a wfi, and trap nowhere: sstatus.SIE stays 0. */
	set_reg(v, REG(KVM_REG_RISCV_CSR, KVM_REG_RISCV_CSR_REG(sie)), 0x202);
	check(ioctl(v->fd, KVM_SET_MP_STATE, &m), "KVM_SET_MP_STATE");
}

static void wake(struct vcpu *v)
{
	__u32 set = KVM_INTERRUPT_SET, unset = KVM_INTERRUPT_UNSET;
	ioctl(v->fd, KVM_INTERRUPT, &set);
	nap(200);
	ioctl(v->fd, KVM_INTERRUPT, &unset);
}

static void other_ioctl(struct vcpu *v)
{
	uint64_t value;
	struct kvm_one_reg r = { REG(KVM_REG_RISCV_CSR, KVM_REG_RISCV_CSR_REG(sscratch)), (uintptr_t)&value };
	ioctl(v->fd, KVM_GET_ONE_REG, &r);
}

#elif defined(__aarch64__)

#define GUEST_BASE 0x80000000UL
struct code { const uint32_t *at; size_t size; };
#define CODE(...) { (const uint32_t[]){ __VA_ARGS__ }, sizeof((uint32_t[]){ __VA_ARGS__ }) }
static const struct code codes[256] = {
	['S'] = CODE(0x91000400, 0x17ffffff),			/* add x0,x0,1; b */
	['P'] = CODE(0xd503203f, 0x17ffffff),			/* yield; b */
	['H'] = CODE(0xd503207f, 0x17ffffff),			/* wfi; b */
	['W'] = CODE(0x91000400, 0x17ffffff),			/* no IPI without a GIC: spins */
	['X'] = CODE(0xd2a20001, 0x39000020, 0xd2820002, 0xf1000442, 0x54ffffe1, 0x17fffffb),
	/* mov x1,0x10000000; strb w0,[x1]; mov x2,0x1000; subs x2,x2,1; b.ne; b */
};

static void set_reg(struct vcpu *v, uint64_t id, uint64_t value)
{
	struct kvm_one_reg r = { id, (uintptr_t)&value };
	check(ioctl(v->fd, KVM_SET_ONE_REG, &r), "KVM_SET_ONE_REG");
}

static void setup_vm(int vmfd)
{
	(void)vmfd;
}

static void setup_vcpu(struct vcpu *v, unsigned char *mem)
{
	struct kvm_vcpu_init init;
	uint64_t pc = GUEST_BASE + 0x1000 + v->id * 0x100;

	check(ioctl(v->vmfd, KVM_ARM_PREFERRED_TARGET, &init), "KVM_ARM_PREFERRED_TARGET");
	check(ioctl(v->fd, KVM_ARM_VCPU_INIT, &init), "KVM_ARM_VCPU_INIT");
	memcpy(mem + (pc - GUEST_BASE), codes[v->kind].at, codes[v->kind].size);
	set_reg(v, KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE |
		KVM_REG_ARM_CORE_REG(regs.pc), pc);
}

static void wake(struct vcpu *v)
{
	struct kvm_irq_level l = { { KVM_ARM_IRQ_TYPE_CPU << 24 | v->id << 16 }, 1 };
	ioctl(v->vmfd, KVM_IRQ_LINE, &l);
	nap(200);
	l.level = 0;
	ioctl(v->vmfd, KVM_IRQ_LINE, &l);
}

static void other_ioctl(struct vcpu *v)
{
	uint64_t value;
	struct kvm_one_reg r = { KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE |
		KVM_REG_ARM_CORE_REG(regs.pc), (uintptr_t)&value };
	ioctl(v->fd, KVM_GET_ONE_REG, &r);
}

#endif

static void *run(void *arg)
{
	struct vcpu *v = arg;
	char name[16];

	snprintf(name, sizeof(name), "vm%d.%d%c", v->vm, v->id, v->kind);
	prctl(PR_SET_NAME, name);
	for (;;) {
		if (ioctl(v->fd, KVM_RUN, 0) < 0 && errno != EINTR && errno != EAGAIN)
			die(name);
		v->exits++;
		other_ioctl(v);
	}
	return NULL;
}

static void *hog(void *name)
{
	volatile unsigned long n = 0;

	prctl(PR_SET_NAME, name);
	for (;;)
		if (!(++n & 0xffffff))
			nap(1000);
	return NULL;
}

static void *waker(void *arg)
{
	prctl(PR_SET_NAME, "waker");
	for (;;) {
		for (int i = 0; i < count; i++)
			if (vcpus[i].kind == 'H')
				wake(&vcpus[i]);
		nap(3000);
	}
	return arg;
}

static void *shuffler(void *arg)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned seed = 1;

	prctl(PR_SET_NAME, "shuffler");
	for (;;) {
		cpu_set_t set;
		int all = rand_r(&seed) % 3 == 0;

		CPU_ZERO(&set);
		for (long c = 0; c < cpus; c++)
			if (all || rand_r(&seed) % cpus == c)
				CPU_SET(c, &set);
		if (CPU_COUNT(&set))
			pthread_setaffinity_np(vcpus[rand_r(&seed) % count].thread, sizeof(set), &set);
		if (rand_r(&seed) % 4 == 0)
			pthread_kill(vcpus[rand_r(&seed) % count].thread, SIGUSR1);
		nap(15000);
	}
	return arg;
}

static void nothing(int signal)
{
	(void)signal;
}

static void add_vm(int number, const char *kinds)
{
	int vmfd = check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	int run_size = check(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
	unsigned char *mem = mmap(NULL, MEM, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = GUEST_BASE, .memory_size = MEM, .userspace_addr = (uintptr_t)mem,
	};

	check(ioctl(vmfd, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
	setup_vm(vmfd);
	for (int id = 0; kinds[id] && count < MAX_VCPUS; id++) {
		struct vcpu *v = &vcpus[count++];

		*v = (struct vcpu){ .vm = number, .vmfd = vmfd, .id = id, .kind = kinds[id] };
		if (!codes[v->kind & 255].at)
			die("a letter that is no kind of vCPU");
		v->fd = check(ioctl(vmfd, KVM_CREATE_VCPU, id), "KVM_CREATE_VCPU");
		v->run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
		setup_vcpu(v, mem);
	}
}

int main(int argc, char **argv)
{
	pthread_t t;
	struct sigaction quiet = { .sa_handler = nothing };
	unsigned long exits = 0;

	if (argc < 3)
		return fprintf(stderr, "exercise SECONDS VM...\n"), 2;
	kvm = check(open("/dev/kvm", O_RDWR), "/dev/kvm");
	sigaction(SIGUSR1, &quiet, NULL);
	for (int i = 2; i < argc; i++)
		add_vm(i - 2, argv[i]);
	for (int i = 0; i < count; i++)
		pthread_create(&vcpus[i].thread, NULL, run, &vcpus[i]);
	pthread_create(&t, NULL, hog, "hog0");
	pthread_create(&t, NULL, hog, "hog1");
	pthread_create(&t, NULL, waker, NULL);
	pthread_create(&t, NULL, shuffler, NULL);
	sleep(atoi(argv[1]));
	for (int i = 0; i < count; i++)
		exits += vcpus[i].exits;
	printf("exercise: %d vCPUs, %lu returns to user space\n", count, exits);
	return 0;
}
