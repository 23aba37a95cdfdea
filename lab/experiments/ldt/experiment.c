/* Does #VMEXIT give a CPU of AMD's the LDT from before modify_ldt(2)?
 *
 *   experiment TIMES
 *
 * Two threads of one process. A is on CPU 0 and runs a guest that counts in memory and never exits
 * by itself. B is on CPU 1. Per round:
 *   1. B installs entry 0 of the LDT with one limit.
 *   2. A calls KVM_RUN; the guest counts, so VMSAVE has stored LDTR in CPU 0's save area.
 *   3. B installs entry 0 with another limit. modify_ldt(2) returns when CPU 0 has loaded LDTR.
 *   4. The guest counts on: it was left for the IPI, and entered again.
 *   5. B sends a signal. A's KVM_RUN ends with EINTR, and A executes LSL on entry 0.
 * If the VMLOAD that follows #VMEXIT brings back LDTR as it was at 2, LSL gives the first limit, or
 * what the freed LDT's page has by then. In the control, 3 comes before 2; all else is the same.
 * A is of SCHED_FIFO: a put and a load between 3 and 4 would store the new LDTR. */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CODE 0x1000
#define COUNTER 0x2000
#define ENTRY_0 7 /* index 0, the LDT, privilege 3 */

/* Real mode: incw [0x2000]; jmp to it. */
static const uint8_t guest[] = { 0xff, 0x06, 0x00, 0x20, 0xeb, 0xfa };

static int vcpu;
static struct kvm_run *run;
static volatile uint16_t *counter;
static pthread_t a;
static atomic_int asked, done; /* rounds that B asks for, and that A has done */
static long found;             /* by A's LSL; -1: no such entry */

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void pin(int cpu)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity: two CPUs are needed");
}

static long read_limit(void)
{
	unsigned long limit = 0;
	unsigned char is_there;
	asm volatile("lsl %2, %0; setz %1" : "+r"(limit), "=q"(is_there) : "r"((unsigned long)ENTRY_0) : "cc");
	return is_there ? (long)limit : -1;
}

static void install(unsigned limit)
{
	struct user_desc entry = { .entry_number = 0, .limit = limit, .seg_32bit = 1, .useable = 1 };
	if (syscall(SYS_modify_ldt, 1, &entry, sizeof(entry)))
		die("modify_ldt");
}

static void *thread_a(void *arg)
{
	struct sched_param first = { .sched_priority = 1 };

	(void)arg;
	pin(0);
	if (sched_setscheduler(0, SCHED_FIFO, &first))
		die("sched_setscheduler");
	for (int n = 1;; n++) {
		while (atomic_load(&asked) < n) /* no sleep: no other process gets CPU 0 */
			;
		int rc = ioctl(vcpu, KVM_RUN, 0);
		found = read_limit();
		if (rc >= 0 || errno != EINTR) {
			fprintf(stderr, "KVM_RUN: %d, exit reason %u\n", rc, run->exit_reason);
			exit(2);
		}
		atomic_store(&done, n);
	}
}

static void wait_for_guest(void)
{
	for (int times = 0; times < 3; times++)
		for (uint16_t before = *counter; *counter == before;)
			sched_yield();
}

static int round_is_wrong(int n, int is_late)
{
	unsigned first = 4 * n, second = 4 * n + 1;

	install(first);
	if (!is_late)
		install(second);
	atomic_store(&asked, n);
	wait_for_guest();
	if (is_late)
		install(second);
	wait_for_guest();
	pthread_kill(a, SIGUSR1);
	while (atomic_load(&done) < n)
		sched_yield();
	if (found != first && found != second)
		printf("round %d: limit %ld, where %u and then %u were set\n", n, found, first, second);
	return found != second;
}

static void nothing(int signal)
{
	(void)signal;
}

int main(int argc, char **argv)
{
	int times = argc > 1 ? atoi(argv[1]) : 100, wrong[2] = { 0, 0 };
	int kvm = open("/dev/kvm", O_RDWR), vm = ioctl(kvm, KVM_CREATE_VM, 0);
	uint8_t *ram = mmap(NULL, 0x4000, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region region = {
		.memory_size = 0x4000, .userspace_addr = (uintptr_t)ram,
	};
	struct sigaction act = { .sa_handler = nothing };
	struct kvm_sregs sregs;
	struct kvm_regs regs = { .rip = CODE, .rflags = 2 };

	if (kvm < 0 || vm < 0 || ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		die("/dev/kvm");
	memcpy(ram + CODE, guest, sizeof(guest));
	counter = (volatile uint16_t *)(ram + COUNTER);
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	run = mmap(NULL, ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (vcpu < 0 || run == MAP_FAILED || ioctl(vcpu, KVM_GET_SREGS, &sregs) < 0)
		die("KVM_CREATE_VCPU");
	sregs.cs.base = sregs.cs.selector = 0;
	sregs.ds.base = sregs.ds.selector = 0;
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs) < 0 || ioctl(vcpu, KVM_SET_REGS, &regs) < 0)
		die("KVM_SET_SREGS");
	sigaction(SIGUSR1, &act, NULL);
	pin(1);
	if (pthread_create(&a, NULL, thread_a, NULL))
		die("pthread_create");
	for (int n = 1; n <= times; n++) {
		wrong[1] += round_is_wrong(2 * n - 1, 1);
		wrong[0] += round_is_wrong(2 * n, 0);
	}
	printf("RESULT changed while the guest runs: %d of %d\n", wrong[1], times);
	printf("RESULT changed before KVM_RUN: %d of %d\n", wrong[0], times);
	return 0;
}
