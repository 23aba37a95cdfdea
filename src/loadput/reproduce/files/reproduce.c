/* Forces the schedule of schedule.h on /dev/kvm, as far as user space can, and looks for damage.
 *
 *   reproduce [-n ROUNDS] [-p CPU,CPU,...] [-c]
 *
 * -p: the CPUs that stand for c0, c1, ...; one more is best left to the rest of this program
 * -c: the control. Each thread does what it does in the same order, one after the other, on one CPU.
 *
 * The first thread conducts: segment by segment of the schedule it lets a thread go, and waits until
 * that thread has come to where the segment ends. With the module hold loaded, that may be a place
 * in the kernel. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <asm/ldt.h>
#include <asm/prctl.h>
#endif

/* What a thread does in a segment. */
enum act {
	NOTHING, RUN, RUN_WITHOUT_ENTRY, VCPU_IOCTL, WRITE_REGISTERS, MODIFY_LDT, CREATE_VM,
	DESTROY_VM, UNMAP, HOTPLUG, SYSTEM_CALL, INTERRUPT,
};

/* How a segment begins: a new act; the thread goes on; on another CPU; a competitor gives the CPU
 * back; the conductor makes an interrupt. */
enum begin { BEGINS, GOES_ON, MOVES, COMES_BACK, CAUSED };

/* How it ends: the act is done; the guest runs; the thread is held by the module; it lost its CPU to
 * a competitor; it waits for what others do; it is somewhere inside; the schedule is over. */
enum end { DONE, IN_GUEST, HELD, LOST_CPU, WAITS, INSIDE, OVER };

struct segment {
	int thread, cpu;
	enum begin begin;
	enum act act;
	enum end end;
	int hold;	/* the module's point where it ends, or -1 */
	int enters;	/* the guest runs before that */
	int vcpu;	/* of an interrupt; of RUN, 0 where the guest halts */
	const char *steps;
};

static void die(const char *what)
{
	perror(what);
	exit(2);
}

#include "schedule.h"
#include "guest.h"
#include "host.h"

#define LIMIT_MS 2000

struct vcpu {
	int vm, fd;
	struct kvm_run *run;
	char *ram;
	struct shared *shared;
	uint32_t register_set, memory_set; /* by the host, last */
};

struct thread {
	int index, tid;
	pthread_t id;
	sem_t go;
	enum act act;
	_Atomic int begun, done;
	_Atomic int is_to_end; /* KVM_RUN */
	int asked;
	uint32_t value, slot;
};

static struct vcpu vcpus[NVCPUS];
static struct thread threads[NTHREADS];
static struct thread competitors[NCPUS];
static int kvm, vms[NVCPUS], cpus[NCPUS], is_control, kmsg;
static size_t run_size;
static _Atomic uint32_t last_value = 1;
static _Atomic int competes[NCPUS];
static struct { _Atomic int guest_register, guest_memory, host_register, kernel_log; } wrong;

/* --- small things ------------------------------------------------------------------------------ */

static void put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd >= 0) {
		if (write(fd, text, strlen(text)) < 0)
			fprintf(stderr, "%s: %s\n", path, strerror(errno));
		close(fd);
	}
}

static void pin(int tid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(tid, sizeof(set), &set))
		die("sched_setaffinity");
}

/* Without the right to it the schedule is less sure, and the result says so. */
static void prefer(int tid, int priority)
{
	struct sched_param p = { .sched_priority = priority };

	sched_setscheduler(tid, SCHED_FIFO, &p);
}

static void pause_us(int us)
{
	struct timespec t = { 0, us * 1000L };

	nanosleep(&t, NULL);
}

#define WAIT_FOR(what)                                                            \
	({                                                                        \
		int left_ = LIMIT_MS * 20;                                        \
		while (!(what) && left_-- > 0)                                    \
			pause_us(50);                                             \
		left_ > 0;                                                        \
	})

/* --- the module -------------------------------------------------------------------------------- */

#define MODULE "/sys/module/hold/parameters/"

static int ask_module(const char *name)
{
	char path[64], text[16] = "";
	int fd;

	snprintf(path, sizeof(path), MODULE "%s", name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -1;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(fd);
	return atoi(text);
}

static void tell_module(const char *name, int value)
{
	char path[64], text[16];

	snprintf(path, sizeof(path), MODULE "%s", name);
	snprintf(text, sizeof(text), "%d", value);
	put_file(path, text);
}

static void tell_tids(void)
{
	char text[NTHREADS * 12] = "";

	for (int i = 0; i < NTHREADS; i++)
		sprintf(text + strlen(text), i ? ",%d" : "%d", threads[i].tid);
	put_file(MODULE "tids", text);
}

/* --- VMs --------------------------------------------------------------------------------------- */

static void make_vcpu(int i)
{
	struct vcpu *v = &vcpus[i];
	struct kvm_userspace_memory_region region = {
		.slot = i, .guest_phys_addr = RAM, .memory_size = PAGES * PAGE,
	};
	unsigned mask[3] = { 8, 0, 0 }; /* struct kvm_signal_mask: in KVM_RUN nothing is blocked */
	int index = 0, is_first = 1;

	for (int j = 0; j < i; j++)
		if (vm_of[j] == vm_of[i]) {
			is_first = 0;
			index++;
		}
	if (is_first) {
		vms[vm_of[i]] = ioctl(kvm, KVM_CREATE_VM, 0);
		if (vms[vm_of[i]] < 0)
			die("KVM_CREATE_VM");
		v->ram = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		region.userspace_addr = (uintptr_t)v->ram;
		if (ioctl(vms[vm_of[i]], KVM_SET_USER_MEMORY_REGION, &region))
			die("KVM_SET_USER_MEMORY_REGION");
		memcpy(v->ram + (CODE - RAM), guest_begin, guest_end - guest_begin);
		share(v->ram + (CODE - RAM));
		make_machine(vms[vm_of[i]]);
	} else {
		for (int j = 0; j < i; j++)
			if (vm_of[j] == vm_of[i])
				v->ram = vcpus[j].ram;
	}
	v->vm = vms[vm_of[i]];
	v->shared = (struct shared *)(v->ram + (SHARED - RAM)) + index;
	v->fd = ioctl(v->vm, KVM_CREATE_VCPU, index);
	v->run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
	if (v->fd < 0 || v->run == MAP_FAILED || ioctl(v->fd, KVM_SET_SIGNAL_MASK, mask))
		die("KVM_CREATE_VCPU");
	make_guest(kvm, v->vm, v->fd, v->ram, SHARED + index * sizeof(struct shared));
	v->register_set = atomic_fetch_add(&last_value, 1);
	set_register(v->fd, v->register_set);
}

static void end_vcpu(int i)
{
	struct vcpu *v = &vcpus[i];

	munmap(v->run, run_size);
	close(v->fd);
	close(v->vm); /* a thread with a VM of its own: the VM ends with its last reference */
	munmap(v->ram, PAGES * PAGE);
	v->fd = -1;
}

/* --- what threads do --------------------------------------------------------------------------- */

static void take_signal(void)
{
	struct timespec now = { 0, 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigtimedwait(&set, NULL, &now);
}

static void run_guest(struct thread *t, struct vcpu *v)
{
	for (;;) {
		if (!ioctl(v->fd, KVM_RUN, 0)) {
			if (v->run->exit_reason == KVM_EXIT_MMIO || v->run->exit_reason == KVM_EXIT_IO)
				break;
			if (v->run->exit_reason == KVM_EXIT_INTR)
				continue;
			fprintf(stderr, "KVM_RUN: exit reason %u\n", v->run->exit_reason);
			exit(2);
		}
		if (errno != EINTR && errno != EAGAIN)
			die("KVM_RUN");
		take_signal();
		if (atomic_load(&t->is_to_end))
			return; /* what the guest saw last is not of this turn */
	}
	share((const void *)v->shared);
	if (v->shared->seen_register != v->register_set) {
		printf("guest: register %#x, %#x was set last\n", v->shared->seen_register, v->register_set);
		atomic_fetch_add(&wrong.guest_register, 1);
	}
	if (v->shared->seen_memory != v->memory_set) {
		printf("guest: memory %#x, %#x was written last\n", v->shared->seen_memory, v->memory_set);
		atomic_fetch_add(&wrong.guest_memory, 1);
	}
}

static void write_probe(struct vcpu *v, uint32_t value)
{
	char *page = v->ram + (PROBE - RAM);

	*(volatile uint32_t *)page = value;
	share(page);
	v->memory_set = value;
}

/* The page goes back to the host, and the guest's next read is to find what a new one has. */
static void unmap(struct vcpu *v)
{
	if (madvise(v->ram + (PROBE - RAM), PAGE, MADV_DONTNEED))
		die("madvise");
	write_probe(v, atomic_fetch_add(&last_value, 1));
}

static void take_cpu_down(int cpu)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
	put_file(path, "0");
	put_file(path, "1");
}

static void do_act(struct thread *t)
{
	int i = vcpu_of[t->index];
	struct vcpu *v = &vcpus[i < 0 ? 0 : i];

	switch (t->act) {
	case RUN:
		run_guest(t, v);
		break;
	case RUN_WITHOUT_ENTRY:
		pthread_kill(pthread_self(), SIGUSR1);
		if (ioctl(v->fd, KVM_RUN, 0) >= 0 || errno != EINTR)
			die("KVM_RUN was to end with EINTR");
		take_signal();
		break;
	case VCPU_IOCTL:
		v->register_set = atomic_fetch_add(&last_value, 1);
		set_register(v->fd, v->register_set);
		break;
	case WRITE_REGISTERS:
		t->value = atomic_fetch_add(&last_value, 1);
		change_registers(&t->slot, t->value);
		break;
	case MODIFY_LDT:
		change_ldt(atomic_fetch_add(&last_value, 1));
		break;
	case CREATE_VM:
		if (v->fd < 0)
			make_vcpu(i);
		break;
	case DESTROY_VM:
		if (v->fd >= 0)
			end_vcpu(i);
		break;
	case UNMAP:
		unmap(v);
		break;
	case HOTPLUG:
		take_cpu_down(cpus[home_of[t->index]]);
		break;
	default:
		syscall(SYS_getppid);
	}
	if (is_host_wrong(t->value)) {
		printf("thread %d: a register of its own, or its LDT, is not what it was\n", t->index);
		atomic_fetch_add(&wrong.host_register, 1);
	}
}

static void *thread(void *arg)
{
	struct thread *t = arg;

	t->value = atomic_fetch_add(&last_value, 1);
	change_registers(&t->slot, t->value);
	t->tid = syscall(SYS_gettid);
	atomic_fetch_add(&t->done, 1);
	for (;;) {
		while (sem_wait(&t->go))
			;
		atomic_store(&t->begun, t->asked);
		do_act(t);
		atomic_store(&t->done, t->asked);
	}
	return NULL;
}

/* Takes its CPU from whoever runs there, while it is told to. */
static void *competitor(void *arg)
{
	struct thread *t = arg;

	t->tid = syscall(SYS_gettid);
	atomic_fetch_add(&t->done, 1);
	for (;;) {
		while (sem_wait(&t->go))
			;
		while (atomic_load(&competes[t->index]))
			;
	}
	return NULL;
}

static void start(struct thread *t, void *(*what)(void *), int index, int cpu, int priority)
{
	t->index = index;
	sem_init(&t->go, 0, 0);
	if (pthread_create(&t->id, NULL, what, t) || !WAIT_FOR(atomic_load(&t->done)))
		die("pthread_create");
	t->asked = atomic_load(&t->done);
	if (cpu >= 0)
		pin(t->tid, cpu);
	prefer(t->tid, priority);
}

/* --- the conductor ----------------------------------------------------------------------------- */

static void tell_guest(int thread, uint32_t what)
{
	int i = vcpu_of[thread];

	if (i < 0 || vcpus[i].fd < 0)
		return;
	share((const void *)vcpus[i].shared);
	vcpus[i].shared->told = what;
	share((const void *)vcpus[i].shared);
}

static int is_idle(int thread)
{
	return atomic_load(&threads[thread].done) == threads[thread].asked;
}

static int guest_turns(int thread, uint32_t turns)
{
	struct shared *s = vcpus[vcpu_of[thread]].shared;
	uint32_t before = s->turns;

	return WAIT_FOR((share((const void *)s), s->turns - before >= turns));
}

static void begin_act(const struct segment *s)
{
	struct thread *t = &threads[s->thread];

	if (s->act != HOTPLUG)
		pin(t->tid, cpus[is_control ? home_of[s->thread] : s->cpu]);
	if (s->act == RUN)
		tell_guest(s->thread, s->end == DONE || is_control ? EXIT : s->vcpu >= 0 ? HALT : LOOP);
	t->act = s->act;
	atomic_store(&t->is_to_end, 0);
	t->asked++;
	sem_post(&t->go);
}

static void begin_segment(const struct segment *s)
{
	if (s->hold >= 0 && !s->enters)
		tell_module("armed", s->hold + 1);
	switch (s->begin) {
	case BEGINS:
		begin_act(s);
		break;
	case MOVES: /* one that the module holds goes as soon as it is to be scheduled */
		pin(threads[s->thread].tid, cpus[s->cpu]);
		break;
	case COMES_BACK:
		atomic_store(&competes[s->cpu], 0);
		break;
	case CAUSED:
		if (s->act == INTERRUPT)
			send_interrupt(vcpus[s->vcpu].vm, vcpus[s->vcpu].fd, 0);
		else if (s->act == HOTPLUG)
			take_cpu_down(cpus[s->cpu]);
		break;
	case GOES_ON:
		break;
	}
	if (s->begin != BEGINS && s->thread >= 0) {
		tell_module("released", release_of[s - schedule]);
		if (s->end == DONE)
			tell_guest(s->thread, EXIT);
	}
}

static int end_segment(const struct segment *s)
{
	int is_forced = 1;

	if (s->hold >= 0) {
		if (s->enters)
			is_forced = guest_turns(s->thread, 3);
		tell_module("armed", s->hold + 1);
		is_forced &= ask_module("reached") >= 0 && WAIT_FOR(ask_module("reached") > s->hold);
	}
	switch (s->end) {
	case DONE:
		return s->thread < 0 || WAIT_FOR(is_idle(s->thread));
	case IN_GUEST:
		return guest_turns(s->thread, 3);
	case LOST_CPU:
		atomic_store(&competes[s->cpu], 1);
		sem_post(&competitors[s->cpu].go);
		pause_us(300);
		return is_forced;
	case WAITS:
		pause_us(300);
		return is_forced;
	case INSIDE: /* nothing says where it is: another time each round */
		pause_us(rand() % 300);
		return 0;
	default:
		return is_forced;
	}
}

/* Everything that is under way is let go, and comes to its end. */
static int finish(void)
{
	int good = 1;

	tell_module("armed", 0);
	tell_module("released", INT32_MAX);
	for (int c = 0; c < NCPUS; c++)
		atomic_store(&competes[c], 0);
	for (int i = 0; i < NTHREADS; i++)
		tell_guest(i, EXIT);
	for (int i = 0; i < NTHREADS; i++) {
		for (int tries = 0; !is_idle(i) && tries < 400; tries++)
			pause_us(500);
		if (!is_idle(i)) {
			atomic_store(&threads[i].is_to_end, 1);
			pthread_kill(threads[i].id, SIGUSR1);
			good &= WAIT_FOR(is_idle(i));
		}
	}
	return good;
}

static int count_reports(void)
{
	char line[2048];
	ssize_t n;
	int found = 0;

	while (kmsg >= 0 && (n = read(kmsg, line, sizeof(line) - 1)) > 0) {
		line[n] = 0;
		found += strstr(line, "WARNING:") || strstr(line, "BUG:") || strstr(line, "corruption");
	}
	return found;
}

static int play_round(void)
{
	int is_forced = 1;

	for (int i = 0; i < NVCPUS; i++)
		if (vcpus[i].fd >= 0)
			write_probe(&vcpus[i], vcpus[i].memory_set);
	tell_module("armed", 0);
	tell_module("released", 0);
	tell_module("reached", 0);
	for (size_t i = 0; i < sizeof(schedule) / sizeof(schedule[0]); i++) {
		const struct segment *s = &schedule[i];

		if (!is_control) {
			begin_segment(s);
			is_forced &= end_segment(s);
		} else if (s->begin == BEGINS) {
			begin_act(s);
			is_forced &= WAIT_FOR(is_idle(s->thread));
		}
	}
	return finish() && is_forced;
}

static void nothing(int signal)
{
	(void)signal;
}

static void prepare(void)
{
	struct sigaction act = { .sa_handler = nothing };
	sigset_t blocked;

	setvbuf(stdout, NULL, _IOLBF, 0);
	put_file("/proc/sys/kernel/sched_rt_runtime_us", "-1");
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	if (kmsg >= 0)
		lseek(kmsg, 0, SEEK_END);
	sigaction(SIGUSR1, &act, NULL);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	kvm = open("/dev/kvm", O_RDWR);
	run_size = kvm < 0 ? 0 : ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (kvm < 0)
		die("/dev/kvm");
	for (int i = 0; i < NVCPUS; i++)
		make_vcpu(i);
	for (int i = 0; i < NTHREADS; i++)
		start(&threads[i], thread, i, is_pinned[i] ? cpus[home_of[i]] : -1, 1);
	for (int c = 0; c < NCPUS; c++)
		start(&competitors[c], competitor, c, cpus[c], 2);
	prefer(0, 3);
	tell_tids();
}

int main(int argc, char **argv)
{
	int rounds = 100, forced = 0, damaged = 0, option, conductor = -1;
	char *list = NULL;

	while ((option = getopt(argc, argv, "n:p:c")) != -1) {
		if (option == 'n')
			rounds = atoi(optarg);
		else if (option == 'p')
			list = optarg;
		else if (option == 'c')
			is_control = 1;
		else
			return 2;
	}
	for (int c = 0; c < NCPUS; c++) {
		cpus[c] = list ? (int)strtol(list, &list, 10) : c;
		list += list && *list == ',';
	}
	for (int c = 0; conductor < 0 && c < sysconf(_SC_NPROCESSORS_CONF); c++) {
		conductor = c;
		for (int i = 0; i < NCPUS; i++)
			conductor = cpus[i] == c ? -1 : conductor;
	}
	pin(0, conductor < 0 ? cpus[NCPUS - 1] : conductor);
	prepare();
	for (int n = 0; n < rounds; n++) {
		int before = wrong.guest_register + wrong.guest_memory + wrong.host_register;

		forced += play_round();
		wrong.kernel_log += count_reports();
		damaged += wrong.guest_register + wrong.guest_memory + wrong.host_register > before;
	}
	printf("RESULT schedule forced%s: %d of %d\n", is_control ? ", control" : "", forced, rounds);
	printf("RESULT damage%s: %d of %d\n", is_control ? ", control" : "", damaged, rounds);
	printf("guest registers %d, guest memory %d, host registers %d, kernel reports %d\n",
	       wrong.guest_register, wrong.guest_memory, wrong.host_register, wrong.kernel_log);
	return damaged || wrong.kernel_log;
}
