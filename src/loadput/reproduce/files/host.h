/* What a thread of the host finds in its own registers, per architecture. */
#ifndef HOST_H
#define HOST_H

#if defined(__x86_64__)

#define ENTRY_0 7 /* index 0, the LDT, privilege 3 */

static _Atomic long ldt_done = -1, ldt_asked = -1;

static void change_ldt(uint32_t value)
{
	struct user_desc entry = { .limit = value & 0xffff, .seg_32bit = 1, .useable = 1 };

	atomic_store(&ldt_asked, value & 0xffff);
	if (syscall(SYS_modify_ldt, 1, &entry, sizeof(entry)))
		die("modify_ldt");
	atomic_store(&ldt_done, value & 0xffff);
}

/* GS is free in user mode. The address is the thread's own, what is there is its value. */
static void change_registers(uint32_t *slot, uint32_t value)
{
	*slot = value;
	if (syscall(SYS_arch_prctl, ARCH_SET_GS, slot))
		die("ARCH_SET_GS");
}

static int is_host_wrong(uint32_t value)
{
	unsigned long limit = 0;
	unsigned char is_there;
	uint32_t found;
	long ldt;

	asm volatile("lsl %2, %0; setz %1" : "+r"(limit), "=q"(is_there) : "r"(7ul) : "cc");
	asm volatile("movl %%gs:0, %0" : "=r"(found));
	ldt = is_there ? (long)limit : -1;
	return found != value || (ldt != atomic_load(&ldt_done) && ldt != atomic_load(&ldt_asked));
}

#else

static void change_ldt(uint32_t value)
{
	(void)value;
}

#if defined(__riscv)
#define SET_FP "fmv.w.x fs0, %0"
#define GET_FP "fmv.x.w %0, fs0"
#define FP "fs0"
#else
#define SET_FP "fmov s8, %w0"
#define GET_FP "fmov %w0, s8"
#define FP "v8"
#endif

/* A callee-saved register that nothing here uses. */
static void change_registers(uint32_t *slot, uint32_t value)
{
	*slot = value;
	asm volatile(SET_FP : : "r"(value));
}

static int is_host_wrong(uint32_t value)
{
	uint32_t found;

	asm volatile(GET_FP : "=r"(found));
	return found != value;
}

#endif

#endif
