"""A control group with the limits that a container has, as the kubelet sets them."""

import contextlib
import os
import time

PERIOD_US = 100_000
UNIFIED = os.path.exists("/sys/fs/cgroup/cgroup.controllers")


class Group:
    """One group, beneath each of its controllers."""

    def __init__(self, millicpu, memory):
        quota = millicpu * PERIOD_US // 1000
        name = f"argo-attest-bench-{os.getpid()}"
        if UNIFIED:
            limits = {"": {"cpu.max": f"{quota} {PERIOD_US}", "cpu.weight": "10000"}}
            if memory:
                limits[""] |= {"memory.max": str(memory), "memory.swap.max": "0"}
        else:
            limits = {
                "cpu": {"cpu.cfs_period_us": str(PERIOD_US), "cpu.cfs_quota_us": str(quota), "cpu.shares": "262144"}
            }
            if memory:
                limits["memory"] = {"memory.limit_in_bytes": str(memory)}
        self.folders = {controller: os.path.join("/sys/fs/cgroup", controller, name) for controller in limits}
        self.members = []
        for controller, folder in self.folders.items():
            os.mkdir(folder)
            for file, value in limits[controller].items():
                with open(f"{folder}/{file}", "w", encoding="ascii") as limit:
                    limit.write(value)
            self.members.append(os.open(f"{folder}/cgroup.procs", os.O_WRONLY))

    def join(self):
        """To be called by a process before exec."""
        # Quotas are for those who are not at real-time priority.
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        for members in self.members:
            os.write(members, b"0")

    def killed(self):
        """How many of it the kernel killed for want of memory."""
        folder, file = (self.folders[""], "memory.events") if UNIFIED else (self.folders["memory"], "memory.oom_control")
        with open(f"{folder}/{file}", encoding="ascii") as events:
            return next(int(line.split()[1]) for line in events if line.startswith("oom_kill "))

    def remove(self):
        for members in self.members:
            os.close(members)
        for folder in self.folders.values():
            # Whoever was in it may be about to leave.
            for _ in range(100):
                with contextlib.suppress(OSError):
                    os.rmdir(folder)
                    break
                time.sleep(0.05)


@contextlib.contextmanager
def of(millicpu, memory=None):
    """A group with so much of a processor, and so many bytes; needs root."""
    made = Group(millicpu, memory)
    try:
        yield made
    finally:
        made.remove()
