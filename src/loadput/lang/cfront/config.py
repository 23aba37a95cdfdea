"""`#ifdef` arms, chosen by a table that is printed with the result."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...base.errors import SourceError
from ...base.source import Span
from .found import Line

# 64-bit SMP kernels with KVM as distributions build them, the symbols of every architecture at
# once: no file asks for another's. A symbol that is not here counts as unset; both are reported
# where a function rests on them.
_YES = """
    SMP 64BIT HOTPLUG_CPU PREEMPT_NOTIFIERS PREEMPT_COUNT PREEMPTION PREEMPT_DYNAMIC FPU COMPAT NUMA
    HIGH_RES_TIMERS NO_HZ_COMMON PERF_EVENTS GUEST_PERF_EVENTS SYSCTL PCI PCI_MSI ACPI EFI PROC_FS
    FAIR_GROUP_SCHED CFS_BANDWIDTH CGROUP_SCHED SCHED_SMT SCHED_CORE SCHEDSTATS NUMA_BALANCING
    MEMBARRIER VMAP_STACK STACKPROTECTOR HAVE_HW_BREAKPOINT KALLSYMS DYNAMIC_FTRACE FUNCTION_TRACER
    KVM KVM_MMIO KVM_ASYNC_PF KVM_XEN KVM_HYPERV KVM_SMM KVM_IOAPIC KVM_COMPAT KVM_VFIO
    KVM_GENERIC_HARDWARE_ENABLING KVM_GENERIC_MMU_NOTIFIER KVM_GENERIC_DIRTYLOG_READ_PROTECT
    KVM_GENERIC_MEMORY_ATTRIBUTES HAVE_KVM_CPU_RELAX_INTERCEPT HAVE_KVM_IRQCHIP HAVE_KVM_IRQ_ROUTING
    HAVE_KVM_IRQ_BYPASS HAVE_KVM_PM_NOTIFIER HAVE_KVM_DIRTY_RING HAVE_KVM_MSI HAVE_KVM_EVENTFD
    KVM_XFER_TO_GUEST_WORK VIRT_XFER_TO_GUEST_WORK
    X86 X86_64 KVM_INTEL KVM_AMD KVM_AMD_SEV AMD_MEM_ENCRYPT X86_LOCAL_APIC X86_IO_APIC X86_TSC
    X86_IOPL_IOPERM X86_MCE X86_SGX_KVM X86_INTEL_MEMORY_PROTECTION_KEYS X86_DEBUGCTLMSR X86_VSMP
    IA32_EMULATION MODIFY_LDT_SYSCALL PARAVIRT PARAVIRT_SPINLOCKS KVM_GUEST HYPERV CPU_MITIGATIONS
    MITIGATION_PAGE_TABLE_ISOLATION MITIGATION_RETPOLINE MITIGATION_RETHUNK MITIGATION_SRSO
    MITIGATION_UNRET_ENTRY CPU_SUP_INTEL CPU_SUP_AMD CC_HAS_ASM_GOTO_OUTPUT
    ARM64 ARM64_VHE ARM64_SVE ARM64_SME ARM64_PTR_AUTH ARM64_PTR_AUTH_KERNEL ARM64_TAGGED_ADDR_ABI
    RISCV RISCV_ISA_V RISCV_PMU_SBI RISCV_SBI_V01 VFIO_PCI_ZDEV_KVM KVM_ASYNC_PF_SYNC
    PPC64 PPC_BOOK3S PPC_BOOK3S_64 PPC_FPU PPC_FPU_REGS ALTIVEC VSX PPC_TRANSACTIONAL_MEM
    PPC_PSERIES PPC_64S_HASH_MMU SPAPR_TCE_IOMMU KVM_BOOK3S_64_HANDLER
    KVM_BOOK3S_HV_POSSIBLE KVM_XICS KVM_XIVE
    LOONGARCH CPU_HAS_FPU CPU_HAS_LSX CPU_HAS_LASX CPU_HAS_LBT
    MIPS CPU_LOONGSON64 MIPS_FP_SUPPORT CPU_HAS_MSA CPU_LITTLE_ENDIAN
"""
_NO = "X86_32 32BIT PREEMPT_RT LOCKDEP PROVE_LOCKING BOOKE SPE KVM_BOOKE_HV NVHE_EL2_DEBUG KASAN"
DEFAULT_CONFIG: dict[str, bool] = {
    **dict.fromkeys((f"CONFIG_{w}" for w in _YES.split()), True),
    **dict.fromkeys((f"CONFIG_{w}" for w in _NO.split()), False),
}
# Numbers that a directive may compare.
_NUMBERS = {"NR_CPUS": 8192, "BITS_PER_LONG": 64, "CONFIG_PGTABLE_LEVELS": 5, "PAGE_SHIFT": 12}
_COMPARE = {
    "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge,
    "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*(\w*)((?:\\\n|[^\n])*)", re.M)
_TOKEN = re.compile(
    r"\s*(defined\b|IS_(?:ENABLED|BUILTIN|MODULE|REACHABLE)\b|&&|\|\||[<>=!]=|[()!<>]|\w+|.)"
)


class _Unknown(Exception):
    pass


@dataclass(slots=True)
class Region:
    """One `#if … #endif`: its lines (0-based, both included) and what decided it.

    :param assumed: ``CONFIG_X=y`` or ``=n``, in the order asked
    :param problem: the condition that this table cannot decide, or ""
    """

    first: int
    last: int = -1
    assumed: list[str] = field(default_factory=list)
    problem: str = ""


class _Condition:
    """Evaluates a directive's condition; notes each symbol it asked for."""

    def __init__(self, text: str, config: Mapping[str, bool], asked: list[str]) -> None:
        self.tokens = _TOKEN.findall(text.replace("\\\n", " ").strip())
        self.config, self.asked, self.at = config, asked, 0

    def value(self) -> bool:
        got = self._or()
        if self.at != len(self.tokens):
            raise _Unknown
        return got

    def _take(self) -> str:
        self.at += 1
        if self.at > len(self.tokens):
            raise _Unknown
        return str(self.tokens[self.at - 1])

    def _peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _or(self) -> bool:
        got = self._and()
        while self._peek() == "||":
            self._take()
            got = self._and() or got
        return got

    def _and(self) -> bool:
        got = self._not()
        while self._peek() == "&&":
            self._take()
            got = self._not() and got
        return got

    def _not(self) -> bool:
        t = self._take()
        if t == "!":
            return not self._not()
        if t == "(":
            got = self._or()
            if self._take() != ")":
                raise _Unknown
            return got
        if t == "defined" or t.startswith("IS_"):
            opened = self._peek() == "("
            name = self._take() if not opened else (self._take(), self._take())[1]
            if opened and self._take() != ")":
                raise _Unknown
            return ask(name, self.config, self.asked)
        if (t.isdigit() or t in _NUMBERS) and self._peek() in _COMPARE:
            test, other = _COMPARE[self._take()], self._take()
            if not (other.isdigit() or other in _NUMBERS):
                raise _Unknown
            said = f"{t}={_NUMBERS[t]}" if t in _NUMBERS else ""
            if said and said not in self.asked:
                self.asked.append(said)
            return bool(test(_NUMBERS.get(t) or int(t), _NUMBERS.get(other) or int(other)))
        if t.isdigit() and self._peek() not in ("<", ">", "=", "!"):
            return int(t) != 0
        if t.startswith("CONFIG_"):
            return ask(t, self.config, self.asked)
        raise _Unknown


def ask(name: str, config: Mapping[str, bool], asked: list[str]) -> bool:
    """Whether ``name`` is set; an unknown symbol is not. Appends ``name=y`` or ``name=n``."""
    value = config.get(name, False)
    said = f"{name}={'y' if value else 'n'}"
    if name.startswith("CONFIG_") and said not in asked:
        asked.append(said)
    return value


def choose_arms(text: str, config: Mapping[str, bool]) -> tuple[str, list[Region]]:
    """``text`` with directives and untaken arms as spaces, and the regions that decided it.

    :param text: C with comments blanked already
    """
    regions: list[Region] = []
    stack: list[tuple[Region, bool, bool, bool]] = []  # region, outer live, live now, any taken
    keep: list[tuple[int, int]] = []
    last, live = 0, True
    line = counted = 0
    for m in _DIRECTIVE.finditer(text):
        if live:
            keep.append((last, m.start()))
        last = m.end()
        word, rest = m[1], m[2].strip()
        line += text.count("\n", counted, m.start())
        counted = m.start()
        if word in ("define", "undef", "include") and live:
            regions.append(Region(line, line, problem=f"#{word} {rest}"))
        elif word in ("if", "ifdef", "ifndef"):
            region = Region(line)
            regions.append(region)
            yes = _decide(word, rest, config, region)
            stack.append((region, live, yes, yes))
            live = live and yes
        elif word in ("else", "elif", "elifdef") and stack:
            region, outer, _, taken = stack.pop()
            yes = not taken and (word == "else" or _decide("if", rest, config, region))
            stack.append((region, outer, yes, taken or yes))
            live = outer and yes
        elif word == "endif" and stack:
            region, live, _, _ = stack.pop()
            region.last = line
    if live:
        keep.append((last, len(text)))
    out, at = [], 0
    for a, b in keep:
        out += [re.sub(r"[^\n]", " ", text[at:a]), text[a:b]]
        at = b
    out.append(re.sub(r"[^\n]", " ", text[at:]))
    end = text.count("\n")
    for region in regions:
        region.last = region.last if region.last >= 0 else end
    return "".join(out), regions


def _decide(word: str, rest: str, config: Mapping[str, bool], region: Region) -> bool:
    if word in ("ifdef", "ifndef"):
        return ask(rest.split()[0] if rest else "", config, region.assumed) == (word == "ifdef")
    try:
        return _Condition(rest, config, region.assumed).value()
    except _Unknown:
        region.problem = f"#if {rest}"
        return False


def assumed_for(
    regions: list[Region], first: int, last: int, lines: Sequence[Line]
) -> tuple[str, ...]:
    """What lines ``first..last`` rest on; raises SourceError LP0222, LP0223."""
    out: list[str] = []
    for r in regions:
        if r.last < first or r.first > last:
            continue
        if r.problem:
            at = lines[min(r.first, len(lines) - 1)]
            is_if = r.problem.startswith("#if")
            raise SourceError(
                "LP0222" if is_if else "LP0223",
                f"cannot decide '{r.problem}'" if is_if else "directive inside a function",
                span=Span(at.file, at.number, 1, max(1, len(at.text))),
                line_text=at.text,
                got=None if is_if else f"'{r.problem}'",
                expected="CONFIG_ symbols, defined(), IS_ENABLED(), !, && and ||, 0 or 1"
                if is_if
                else "only #if, #ifdef, #ifndef, #elif, #else, #endif in a body",
                next="keep the arm that you mean, without the directive" if is_if else None,
            )
        out += [a for a in r.assumed if a not in out]
    return tuple(out)
