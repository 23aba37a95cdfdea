# Records what `loadput trace` and `loadput conform` read, on the host to be looked at. It needs
# root and a POSIX shell with awk, od, grep, sed, head, tail, tr (busybox has them). In this order
# it
#   1. finds the fields of struct kvm_vcpu in the kernel's own type information (BTF),
#   2. makes an ftrace instance and kprobe events, both called loadput, and nothing else,
#   3. lets them run for $seconds, or while a command runs,
#   4. writes one file, a trace.dat,
#   5. takes instance and probes away, also when it is stopped or killed.
# Probes stand at the entry or return of ordinary functions: none in an NMI or in early entry code.

tracing=/sys/kernel/tracing
mine=$tracing/instances/loadput
lock=/run/loadput-record.pid
[ -d /run ] || lock=/var/run/loadput-record.pid
LC_ALL=C
export LC_ALL

say() { echo "record: $*" >&2; }
die() {
    say "$1"
    say "next: $2"
    exit 2
}

# --- 5. taking away, first of all -----------------------------------------------------------------

clean() {
    for try in 1 2 3 4 5; do
        [ -d "$mine" ] || break
        { echo 0 >"$mine/tracing_on"; echo 0 >"$mine/events/enable"; } 2>/dev/null
        rmdir "$mine" 2>/dev/null || sleep 1
    done
    [ -f $tracing/kprobe_events ] || return 0
    for event in $(sed -n 's/^[a-z0-9]*:\(loadput\/[^ ]*\).*/\1/p' $tracing/kprobe_events); do
        echo "-:$event" >>$tracing/kprobe_events
    done 2>/dev/null
}

finish() {
    trap '' INT TERM HUP
    trap - EXIT
    kill -9 $watcher $readers 2>/dev/null
    clean
    rm -rf "$work" "$lock"
}

# --- may it be done, and how ----------------------------------------------------------------------

[ "$(id -u)" = 0 ] || die "not root" "run it as root: tracing is the administrator's"
[ -d $tracing/events ] || mount -t tracefs nodev $tracing 2>/dev/null ||
    die "no tracefs at $tracing" "a kernel with CONFIG_FTRACE, outside a container"
[ -d $tracing/instances ] || die "no ftrace instances" "a kernel with CONFIG_TRACING"
[ -d $tracing/events/kvm ] ||
    die "no KVM tracepoints: KVM is not there" "load kvm_amd or kvm_intel, or look at another host"
if [ -f "$lock" ] && owner=$(cat "$lock") && kill -0 "$owner" 2>/dev/null; then
    die "another recording runs here, pid $owner" "wait for it, or stop it"
fi
if [ -d "$mine" ] || grep -q ':loadput/' $tracing/kprobe_events 2>/dev/null; then
    say "taking away what a killed recording left"
    clean
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/loadput.XXXXXX") ||
    die "no room for temporary files" "set TMPDIR"
watcher= readers=
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
echo $$ >"$lock"
: >"$work/readers"
mkdir "$mine" 2>/dev/null ||
    die "the kernel makes no ftrace instance" "see whether it is locked down (dmesg)"
( # somebody has to take away what this shell cannot if it is killed
    trap '' INT TERM HUP
    while kill -0 $$ 2>/dev/null; do sleep 1; done
    kill -9 $(cat "$work/readers") 2>/dev/null
    clean
    rm -rf "$work" "$lock"
) </dev/null >/dev/null 2>&1 &
watcher=$!

# --- 1. where the fields are ----------------------------------------------------------------------

if [ "$(printf '\001\000\000\000' | od -An -v -tu4 -w4 2>/dev/null | tr -d ' ')" = 1 ]; then
    numbers() { od -An -v -tu4 -w4; } # one to a line
else
    numbers() { hexdump -v -e '1/4 "%u\n"'; }
fi
part() { tail -c +$(($2 + 1)) "$1" 2>/dev/null | head -c "$3"; } # FILE START LENGTH

# A BTF is a header, types, strings; that of a module goes on where vmlinux's ends.
btf_header() { # FILE: sets types, types_size, strings, strings_size
    set -- $(part "$1" 0 24 | numbers)
    types=$(($2 + $3)) types_size=$4 strings=$(($2 + $5)) strings_size=$6
}

btf_names() { # VMLINUX [MODULE]: prints "place name" of the strings to look for
    btf_header "$1"
    base=$strings_size
    part "$1" $strings $strings_size | tr '\000' '\n' >"$work/s0"
    : >"$work/s1"
    if [ -n "$2" ]; then
        btf_header "$2"
        part "$2" $strings $strings_size | tr '\000' '\n' >"$work/s1"
    fi
    awk -v base="$base" -v second="$work/s1" '
        BEGIN {
            n = split("kvm_vcpu kvm_vcpu_arch kvm preempt_notifier vcpu_id cpu mode wants_to_run " \
                "preempted ready scheduled_out arch last_exit_cpu csr_dirty", list, " ")
            for (i = 1; i <= n; i++) want[list[i]] = 1
        }
        FILENAME == second && FNR == 1 { at = base }
        { if ($0 in want) print at + 0, $0; at += length($0) + 1 }
    ' "$work/s0" "$work/s1"
}

# A struct is its name's place, then kind and number of its members, its size; then for each member
# its name's place, its type, its first bit. It is found by the first, and known by the others.
btf_struct() { # NAME: prints "NAME.field bytes" of its fields that have a name to look for
    for place in $(sed -n "s/ $1\$//p" "$work/names"); do
        for line in $(grep -n -F -w "$place" "$work/words" | cut -d: -f1); do
            end=$((line + 2 + 3 * 2000))
            sed -n "$line,${end}p;${end}q" "$work/words" | awk -v what="$1" -v names="$work/names" '
                BEGIN {
                    while ((getline line < names) > 0) { split(line, f, " "); name[f[1]] = f[2] }
                }
                NR == 2 {
                    fields = $1 >= 2147483648; n = $1 % 65536
                    if (int($1 / 16777216) % 32 != 4) exit
                }
                NR == 3 { size = $1 }
                NR > 3 && NR % 3 == 1 { field = name[$1] }
                NR > 3 && NR % 3 == 0 {
                    bits = fields ? $1 % 16777216 : $1
                    if (bits > size * 8) exit
                    if (field != "" && bits % 8 == 0) print what "." field, bits / 8
                    if (--n == 0) exit
                }'
        done
    done
}

btf_fields() { # VMLINUX [MODULE]: the fields, from the module where it has the struct itself
    btf_names "$@" >"$work/names"
    : >"$work/found"
    for file in $2 $1; do
        grep -q 'kvm_vcpu\.' "$work/found" && break
        btf_header "$file"
        part "$file" $types $types_size | numbers >"$work/words"
        { btf_struct kvm_vcpu; btf_struct kvm_vcpu_arch; } >"$work/found"
    done
    cat "$work/found"
}

: >"$work/fields"
btf=/sys/kernel/btf
if [ -f $btf/vmlinux ]; then
    module=
    [ ! -f $btf/kvm ] || module=$btf/kvm
    btf_fields $btf/vmlinux $module >"$work/fields"
fi
field() { sed -n "s/^$1 //p" "$work/fields" | head -n 1; }
[ -n "$(field kvm_vcpu.preempted)" ] ||
    say "no BTF of struct kvm_vcpu (CONFIG_DEBUG_INFO_BTF): probes say which vCPU, but not its" \
        "flags; loadput trace can use that, loadput conform will not decide"
notifier=$(field kvm_vcpu.preempt_notifier)

# --- 2. instance and probes -----------------------------------------------------------------------

one=\$arg1 skip=
case $(uname -m) in
riscv64) one=%a0 skip=+8 ;; # it has no $argN, and the first two words of a function are ftrace's
esac

reads() { # SHIFT: the fields of a vCPU, whose address is the first argument minus SHIFT
    while read -r name type what; do
        at=$(field "kvm_vcpu.$what")
        [ -z "$at" ] || printf ' %s=%+d(%s):%s' "$name" $((at - $1)) "$one" "$type"
    done <<END
kvm x64 kvm
id s32 vcpu_id
vcpu_cpu s32 cpu
mode s32 mode
wants u8 wants_to_run
preempted u8 preempted
ready u8 ready
so u8 scheduled_out
END
}

arch_reads() { # what riscv asks before it skips a restore
    arch=$(field kvm_vcpu.arch) last=$(field kvm_vcpu_arch.last_exit_cpu)
    dirty=$(field kvm_vcpu_arch.csr_dirty)
    [ -z "$arch" ] || [ -z "$last" ] || [ -z "$dirty" ] ||
        printf ' lastexit=%+d(%s):s32 dirty=%+d(%s):u8' \
            $((arch + last)) "$one" $((arch + dirty)) "$one"
}

symbol() { # FUNCTION: as kprobe_events names it, with its module; nothing where there is none
    awk -v name="$1" '$3 == name && $2 ~ /[tT]/ {
        module = $4; gsub(/[][]/, "", module)
        print (module == "" ? "" : module ":") name
        exit
    }' "$work/symbols"
}

place() { # EVENT DEFINITION...: the first one that the kernel takes
    event=$1
    shift
    for text; do
        if echo "$text" >>$tracing/kprobe_events; then
            probes=$((probes + 1))
            return
        fi 2>/dev/null
    done
    say "no probe $event: the kernel refuses it"
}

probe() { # EVENT FUNCTION vcpu|pn [MORE]
    where=$(symbol "$2")
    [ -n "$where" ] || return 0
    shift_by=0
    [ "$3" != pn ] || shift_by=$notifier
    args=" $3=$one:x64"
    [ -z "$shift_by" ] || args="$args$(reads "$shift_by")$4"
    case $1 in
    *_ret) # $argN is what it was at the entry, from v6.9 on; a register is what it is then
        [ $one = \$arg1 ] || args=
        place "$1" "r10:loadput/$1 $where$args" "r10:loadput/$1 $where"
        ;;
    *) place "$1" "p:loadput/$1 $where$skip$args" ;;
    esac
}

probes=0
: >"$work/symbols"
if [ ! -f $tracing/kprobe_events ]; then
    say "no kprobe events (CONFIG_KPROBE_EVENTS): stock tracepoints only; loadput trace infers" \
        "loads from them, loadput conform has nothing to compare"
else
    grep -E ' (vcpu_load|vcpu_put|kvm_|svm_|vmx_)' /proc/kallsyms >"$work/symbols"
    probe load vcpu_load vcpu
    probe put vcpu_put vcpu
    probe sched_in kvm_sched_in pn
    probe sched_out kvm_sched_out pn
    probe sched_in_ret kvm_sched_in pn
    probe sched_out_ret kvm_sched_out pn
    probe arch_load kvm_arch_vcpu_load vcpu "$(arch_reads)"
    probe arch_put kvm_arch_vcpu_put vcpu
    probe arch_sched_in kvm_arch_sched_in vcpu
    probe block kvm_vcpu_block vcpu
    probe on_spin kvm_vcpu_on_spin vcpu
    probe yield_to kvm_vcpu_yield_to vcpu
    probe svm_load svm_vcpu_load vcpu
    probe svm_put svm_vcpu_put vcpu
    probe svm_prep svm_prepare_switch_to_guest vcpu
    probe vmx_load vmx_vcpu_load vcpu
    probe vmx_put vmx_vcpu_put vcpu
    probe vmx_prep vmx_prepare_switch_to_guest vcpu
    probe vgic_load kvm_vgic_load vcpu
    probe timer_restore kvm_riscv_vcpu_timer_restore vcpu
    probe mmu_hgatp kvm_riscv_mmu_update_hgatp vcpu
    [ $probes != 0 ] ||
        say "no probe can be placed (is the kernel locked down?): stock tracepoints only;" \
            "loadput trace infers loads from them, loadput conform has nothing to compare"
fi
echo mono >"$mine/trace_clock"

cpus=$(ls -d "$mine"/per_cpu/cpu* | wc -l)
free=$(sed -n 's/^MemAvailable: *\([0-9]*\).*/\1/p' /proc/meminfo)
most=$((${free:-65536} / 10 / cpus))
if [ "$buffer_kb" -gt "$most" ]; then
    buffer_kb=$most
    say "$buffer_kb KB of buffer per CPU: a tenth of the free memory in all"
fi
echo "$buffer_kb" >"$mine/buffer_size_kb" || die "no memory for the buffers" "a smaller buffer"

# --- 3. recording ---------------------------------------------------------------------------------

switches() { sed -n 's/^ctxt //p' /proc/stat; }
rate=$(switches)
sleep 1
rate=$(($(switches) - rate))
# Eight events for a vCPU that goes and comes. What each costs is an estimate, on the high side.
say "$probes probes; $rate context switches a second: at most" \
    "$(awk -v r="$rate" -v c="$cpus" 'BEGIN { printf "%.2f", r * 8 * 0.7e-6 / c * 100 }')% of the" \
    "CPUs' time, if all of them are vCPUs'; guest exits come on top"

points="sched/sched_switch sched/sched_waking sched/sched_wakeup sched/sched_wakeup_new
    sched/sched_migrate_task kvm/kvm_entry kvm/kvm_exit kvm/kvm_userspace_exit kvm/kvm_vcpu_wakeup"
for point in $points; do
    [ ! -d "$mine/events/$point" ] || echo 1 >"$mine/events/$point/enable"
done
[ $probes = 0 ] || echo 1 >"$mine/events/loadput/enable" || say "the probes cannot be enabled"
begin=$(date +%s) said=0
if [ $# -gt 0 ]; then
    "$@" </dev/null
    said=$?
else
    sleep "$seconds" &
    wait $!
fi
echo 0 >"$mine/tracing_on"
spent=$(($(date +%s) - begin))

# --- 4. one file ----------------------------------------------------------------------------------

u1() { printf "\\$(($1 >> 6 & 3))$(($1 >> 3 & 7))$(($1 & 7))"; }
u2() { u1 "$1"; u1 $(($1 >> 8)); }
u4() { u2 "$1"; u2 $(($1 >> 16)); }
u8() { u4 "$1"; u4 $(($1 >> 32)); }
size() { wc -c <"$1" | tr -d ' '; }
take() { cat "$1" >"$work/take"; } # a file of tracefs has no length before it is read
counted() { "$1" "$(size "$work/take")"; cat "$work/take"; } # u4 or u8: its length, then itself
text() { printf '%s\000' "$1"; }
option() { u2 "$1"; counted u4; }

events=0 lost=0 hits=0
for dir in "$mine"/per_cpu/cpu*; do
    cpu=${dir##*/cpu}
    { echo "CPU: $cpu"; cat "$dir/stats"; } >"$work/stat.$cpu"
    events=$((events + $(sed -n 's/^entries: //p' "$work/stat.$cpu")))
    lost=$((lost + $(sed -n 's/^overrun: //p' "$work/stat.$cpu")))
done
[ $probes = 0 ] || hits=$(awk '
    FNR == NR { if ($1 ~ /:loadput\//) { sub(/.*\//, "", $1); own[$1] = 1 } next }
    $1 in own { n += $2 }
    END { print n + 0 }' $tracing/kprobe_events $tracing/kprobe_profile)

for dir in "$mine"/per_cpu/cpu*; do # each waits for more when all is read, and is stopped then
    cat "$dir/trace_pipe_raw" >"$work/raw.${dir##*/cpu}" </dev/null 2>/dev/null &
    readers="$readers $!"
    echo $! >>"$work/readers"
done
idle=0 before=-1
while [ $idle -lt 5 ]; do
    sleep 1
    left=$(cat "$mine"/per_cpu/cpu*/stats | awk '/^entries:/ { n += $2 } END { print n + 0 }')
    now=$(cat "$work"/raw.* | wc -c)
    idle=$((now == before ? idle + 1 + 4 * (left == 0) : 0)) before=$now
done
kill $readers 2>/dev/null
wait $readers 2>/dev/null
readers=

take $tracing/events/header_page
page=$(sed -n 's/.*char data;.*offset:\([0-9]*\);.*size:\([0-9]*\);.*/\1 + \2/p' "$work/take")
page=$((${page:-4096}))
top=0
for raw in "$work"/raw.*; do [ "${raw##*.}" -le $top ] || top=${raw##*.}; done

formats() { # SYSTEM EVENT...
    text "$1"
    system=$1
    shift
    u4 $#
    for event; do
        take "$mine/events/$system/$event/format"
        counted u8
    done
}

file_header() {
    printf '\027\010\104tracing6\000\000\010'
    u4 "$page"
    for name in header_page header_event; do
        text $name
        take $tracing/events/$name
        counted u8
    done
    u4 0
    u4 $((2 + (probes != 0)))
    for name in sched kvm; do
        set --
        for point in $points; do
            case $point in
            $name/*) [ ! -d "$mine/events/$point" ] || set -- "$@" "${point#*/}" ;;
            esac
        done
        formats $name "$@"
    done
    set --
    for dir in "$mine"/events/loadput/*/; do set -- "$@" "$(basename "$dir")"; done
    [ $probes = 0 ] || formats loadput "$@"
    take "$work/symbols"
    counted u4
    u4 0
    take $tracing/saved_cmdlines
    counted u8
    u4 $((top + 1))
    text 'options  '
    for stat in "$work"/stat.*; do
        take "$stat"
        option 2
    done
    text '[mono]' >"$work/take"
    option 4
    text "$(uname -srvm)" >"$work/take"
    option 5
    u2 0
    text flyrecord
}

file_header >"$work/head"
at=$(($(size "$work/head") + 16 * (top + 1)))
at=$(((at + page - 1) / page * page)) first=$at cpu=0
while [ $cpu -le $top ]; do
    length=0
    [ ! -f "$work/raw.$cpu" ] || length=$(size "$work/raw.$cpu")
    u8 $at
    u8 "$length"
    at=$((at + length)) cpu=$((cpu + 1))
done >>"$work/head"
{
    cat "$work/head"
    head -c $((first - $(size "$work/head"))) /dev/zero
    cpu=0
    while [ $cpu -le $top ]; do
        [ ! -f "$work/raw.$cpu" ] || cat "$work/raw.$cpu"
        cpu=$((cpu + 1))
    done
} >"$out" || die "cannot write $out" "name a file on a disk with room"

[ $lost = 0 ] || lost_words=", $lost before them overwritten (a larger buffer keeps them)"
say "$events events in $out$lost_words"
say "they took about $(awk -v p="$hits" -v e=$((events + lost)) -v s="$spent" -v c="$cpus" 'BEGIN {
    t = e > p ? e - p : 0
    printf "%.2f", (p + t * 0.3) * 1e-6 / (s ? s : 1) / c * 100
}')% of the CPUs' time (estimate: 1 us a probe, 0.3 us a tracepoint)"
say "next: loadput trace $out; loadput conform $out"
exit $said
