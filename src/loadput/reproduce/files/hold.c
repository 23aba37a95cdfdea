// SPDX-License-Identifier: GPL-2.0-only
/* Holds threads of the program reproduce at the functions of points.h, until they are let go.
 *
 * A thread that enters or leaves the function of an armed point spins there, in a kprobe's handler:
 * with preemption off, and with interrupts off where the probe is no ftrace one. It goes on when the
 * program has released the point, when it is to be scheduled (for points that say so), or after
 * limit_us. So what has to interrupt the CPU meanwhile must wait, and a kernel that looks for
 * lockups may say that it has found one. For a machine that nobody else uses. */
#include <linux/atomic.h>
#include <linux/kprobes.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/sched.h>

struct place {
	const char *function;
	bool at_return;
};

struct point {
	int thread;		/* its index in tids */
	bool until_scheduled;
	struct place places[6];	/* the first that takes a probe */
};

#include "points.h"

static int tids[16], tids_count;
module_param_array(tids, int, &tids_count, 0644);
MODULE_PARM_DESC(tids, "the threads of the program, as it starts them");
static int armed;
module_param(armed, int, 0644);
MODULE_PARM_DESC(armed, "the points below this one hold who comes there");
static int released;
module_param(released, int, 0644);
MODULE_PARM_DESC(released, "a bit for each point that holds nobody any more");
static int reached;
module_param(reached, int, 0644);
MODULE_PARM_DESC(reached, "how many points, in order, have held their thread");
static unsigned int limit_us = 200000;
module_param(limit_us, uint, 0644);
MODULE_PARM_DESC(limit_us, "the longest that a thread is held");

static struct kprobe entries[NHOLDS];
static struct kretprobe returns[NHOLDS];
static const struct place *used[NHOLDS];

static void hold(int k)
{
	const struct point *p = &points[k];
	u64 end;

	if (k >= READ_ONCE(armed) || k != READ_ONCE(reached) || p->thread >= tids_count ||
	    READ_ONCE(tids[p->thread]) != task_pid_nr(current))
		return;
	WRITE_ONCE(reached, k + 1);
	end = ktime_get_mono_fast_ns() + (u64)limit_us * NSEC_PER_USEC;
	while (!(READ_ONCE(released) >> k & 1) && ktime_get_mono_fast_ns() < end) {
		if (p->until_scheduled && need_resched())
			break;
		cpu_relax();
	}
}

static int at_entry(struct kprobe *probe, struct pt_regs *regs)
{
	hold(probe - entries);
	return 0;
}
NOKPROBE_SYMBOL(at_entry);

static int at_return(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct kretprobe *probe = get_kretprobe(instance);

	if (probe)
		hold(probe - returns);
	return 0;
}
NOKPROBE_SYMBOL(at_return);

static int place_probe(int k, const struct place *place)
{
	if (place->at_return) {
		returns[k] = (struct kretprobe){ .kp.symbol_name = place->function, .handler = at_return };
		return register_kretprobe(&returns[k]);
	}
	entries[k] = (struct kprobe){ .symbol_name = place->function, .pre_handler = at_entry };
	return register_kprobe(&entries[k]);
}

static void take_away(void)
{
	int k;

	for (k = 0; k < NHOLDS; k++) {
		if (used[k] && used[k]->at_return)
			unregister_kretprobe(&returns[k]);
		else if (used[k])
			unregister_kprobe(&entries[k]);
	}
}

static int __init hold_init(void)
{
	int k, i;

	for (k = 0; k < NHOLDS; k++) {
		for (i = 0; i < ARRAY_SIZE(points[k].places) && points[k].places[i].function; i++) {
			if (!place_probe(k, &points[k].places[i])) {
				used[k] = &points[k].places[i];
				break;
			}
		}
		if (!used[k]) {
			pr_err("hold: point %d: none of its functions takes a probe\n", k);
			take_away();
			return -ENOENT;
		}
		pr_info("hold: point %d: %s of %s()\n", k, used[k]->at_return ? "return" : "entry",
			used[k]->function);
	}
	return 0;
}

static void __exit hold_exit(void)
{
	take_away();
}

module_init(hold_init);
module_exit(hold_exit);
MODULE_DESCRIPTION("Holds threads at probed functions, for one schedule");
MODULE_LICENSE("GPL");
