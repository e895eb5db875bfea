"""The filter on system calls: what no honest solution asks for is refused with EPERM.

Works for any user and in containers. It keeps a candidate from signalling or tracing its
neighbours, starting programs, processes and threads, reaching the network and touching the
attributes of files; reads and writes of files are left to the mount namespace or Landlock.
"""

import platform
import struct

# Name, x86-64, aarch64 (0: that machine has no such call).
_REFUSED = """
kill 62 129, tkill 200 130, tgkill 234 131, rt_sigqueueinfo 129 138, rt_tgsigqueueinfo 297 240,
pidfd_send_signal 424 424, pidfd_open 434 434, pidfd_getfd 438 438,
ptrace 101 117, process_vm_readv 310 270, process_vm_writev 311 271, process_madvise 440 440,
kcmp 312 272, fork 57 0, vfork 58 0, clone 56 220, clone3 435 435, execve 59 221, execveat 322 281,
socket 41 198, connect 42 203, unshare 272 97, setns 308 268, mount 165 40, umount2 166 39,
pivot_root 155 41, chroot 161 51, open_tree 428 428, move_mount 429 429, fsopen 430 430,
fsmount 432 432, mount_setattr 442 442, bpf 321 280, perf_event_open 298 241,
userfaultfd 323 282, io_uring_setup 425 425, add_key 248 217, request_key 249 218, keyctl 250 219,
shmget 29 194, msgget 68 186, semget 64 190, mq_open 240 180, memfd_secret 447 447,
migrate_pages 256 238, move_pages 279 239, chmod 90 0, fchmod 91 52, fchmodat 268 53,
fchmodat2 452 452, chown 92 0, lchown 94 0, fchown 93 55, fchownat 260 54, utime 132 0,
utimes 235 0, futimesat 261 0, utimensat 280 88, setxattr 188 5, lsetxattr 189 6, fsetxattr 190 7,
removexattr 197 14, lremovexattr 198 15, fremovexattr 199 16, setpriority 141 140,
ioprio_set 251 30, sched_setaffinity 203 122, sched_setscheduler 144 119, sched_setparam 142 118,
sched_setattr 314 274, inotify_init1 294 26, fanotify_init 300 262
"""
_PRLIMIT = (302, 261)  # refused for any process but the caller itself
_AUDIT_ARCH = (0xC000003E, 0xC00000B7)
_MACHINES = ("x86_64", "aarch64")

_LOAD, _IS, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # BPF_LD|W|ABS, JEQ|K, JGE|K, RET|K
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000  # the middle one is ERRNO|EPERM
_NUMBER, _ARCH, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data


def program() -> bytes | None:
    """The filter as an array of `struct sock_filter`, or None on any other machine."""
    if platform.machine() not in _MACHINES:
        return None
    column = _MACHINES.index(platform.machine())
    refused = [int(entry.split()[1 + column]) for entry in _REFUSED.split(",")]
    lines = [
        (_LOAD, 0, 0, _ARCH), (_IS, 1, 0, _AUDIT_ARCH[column]), (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        # x86-64 also answers to the numbers of x32, which lie above this bit.
        (_AT_LEAST, 0, 1, 0x40000000), (_RETURN, 0, 0, _REFUSE),
    ]  # fmt: skip
    for number in filter(None, refused):
        lines += [(_IS, 0, 1, number), (_RETURN, 0, 0, _REFUSE)]
    lines += [
        (_IS, 0, 3, _PRLIMIT[column]), (_LOAD, 0, 0, _FIRST_ARGUMENT), (_IS, 1, 0, 0),
        (_RETURN, 0, 0, _REFUSE), (_RETURN, 0, 0, _ALLOW),
    ]  # fmt: skip
    return b"".join(struct.pack("=HBBI", *line) for line in lines)
