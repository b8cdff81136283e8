"""What an engine does to start a container, as far as our files ask for it.

A root from layers (overlayfs), volumes, tmpfs, /proc, a small /dev, a numeric user, no
capabilities, no new privileges, a read-only root. No network of its own: the container sees the
machine's. All mounts live in a mount namespace of the process and vanish with it.
"""

import ctypes
import dataclasses
import os
import pathlib
import subprocess

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS = 0x20000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT = 0x1, 0x2, 0x4, 0x20
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38
CAPABILITIES = 41
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclasses.dataclass
class Container:
    lower: list  # folders, the top one first
    scratch: pathlib.Path  # an empty folder to mount in
    upper: pathlib.Path | None = None  # where changes are kept; None: nowhere
    read_only: bool = False
    user: str = "0:0"
    groups: tuple = ()
    folder: str = "/"
    environment: dict = dataclasses.field(default_factory=dict)
    volumes: list = dataclasses.field(default_factory=list)  # (folder or file, path inside, ro)
    tmpfs: dict = dataclasses.field(default_factory=dict)  # path inside: options
    drop_rights: bool = False

    def start(self, command, **options):
        """A subprocess.Popen of the command inside."""
        environment = {"PATH": PATH, "HOME": "/", **self.environment}
        return subprocess.Popen(command, env=environment, preexec_fn=self._enter, **options)

    def run(self, command, **options):
        """Waits for its end; raises CalledProcessError when it fails."""
        process = self.start(command, **options)
        if process.wait() != 0:
            raise subprocess.CalledProcessError(process.returncode, command)

    def _enter(self):
        _check(LIBC.unshare(CLONE_NEWNS), "unshare")
        _mount(None, "/", None, MS_REC | MS_PRIVATE)
        root = self.mount_root()
        self._mount_system(root)
        for path, options in self.tmpfs.items():
            inside = _mount_point(root, path)
            _mount("tmpfs", inside, "tmpfs", MS_NOSUID | MS_NODEV, options)
        for source, path, only_read in self.volumes:
            inside = _mount_point(root, path, pathlib.Path(source).is_file())
            _mount(str(source), inside, None, MS_BIND)
            if only_read:
                _mount(None, inside, None, MS_REMOUNT | MS_BIND | MS_RDONLY)
        if self.read_only:
            _mount(None, root, None, MS_REMOUNT | MS_RDONLY)
        os.chroot(root)
        os.chdir(self.folder)
        self._become_user()

    def mount_root(self):
        """Mounts the layers; for a process that is in a mount namespace of its own."""
        changes = self.upper
        if changes is None:
            _mount("tmpfs", self.scratch, "tmpfs", 0)
            changes = self.scratch / "changes"
        root, upper, work = (changes / name for name in ("root", "upper", "work"))
        for each in (root, upper, work):
            each.mkdir(parents=True, exist_ok=True)
        lower = ":".join(str(each) for each in self.lower)
        _mount("overlay", root, "overlay", 0, f"lowerdir={lower},upperdir={upper},workdir={work}")
        return root

    def _mount_system(self, root):
        _mount("proc", _mount_point(root, "/proc"), "proc", MS_NOSUID | MS_NODEV)
        dev = _mount_point(root, "/dev")
        _mount("tmpfs", dev, "tmpfs", MS_NOSUID, "mode=755")
        for name in DEVICES:
            _mount(f"/dev/{name}", _mount_point(root, f"/dev/{name}", True), None, MS_BIND)
        os.symlink("/proc/self/fd", f"{dev}/fd")
        for number, name in enumerate(("stdin", "stdout", "stderr")):
            os.symlink(f"/proc/self/fd/{number}", f"{dev}/{name}")
        os.symlink("pts/ptmx", f"{dev}/ptmx")
        terminals = _mount_point(root, "/dev/pts")
        _mount("devpts", terminals, "devpts", MS_NOSUID, "newinstance,ptmxmode=0666,mode=0620")
        _mount("tmpfs", _mount_point(root, "/dev/shm"), "tmpfs", MS_NOSUID, "mode=1777,size=256m")
        for name in ("/etc/resolv.conf", "/etc/hosts"):
            if os.path.exists(name):
                _mount(os.path.realpath(name), _mount_point(root, name, True), None, MS_BIND)

    def _become_user(self):
        user, _, group = self.user.partition(":")
        if self.drop_rights:
            for number in range(CAPABILITIES):
                LIBC.prctl(PR_CAPBSET_DROP, number, 0, 0, 0)
        if int(user) != 0:
            os.setgroups([int(each) for each in self.groups])
            os.setgid(int(group or user))
            os.setuid(int(user))
        if self.drop_rights:
            _check(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")


def _check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _mount(source, target, kind, flags, options=""):
    encoded = [None if each is None else str(each).encode() for each in (source, target, kind)]
    result = LIBC.mount(*encoded, ctypes.c_ulong(flags), options.encode() or None)
    _check(result, f"mount {source} at {target}")


def _mount_point(root, path, is_file=False):
    """Makes it where the root does not have it, as an engine does."""
    inside = pathlib.Path(root, path.lstrip("/"))
    if is_file:
        inside.parent.mkdir(parents=True, exist_ok=True)
        if not inside.is_file() and not inside.exists():
            if inside.is_symlink():
                inside.unlink()
            inside.touch()
    else:
        inside.mkdir(parents=True, exist_ok=True)
    return inside


def in_namespace(work):
    """Calls work() in a child with a mount namespace of its own. Raises when it failed."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            _check(LIBC.unshare(CLONE_NEWNS), "unshare")
            _mount(None, "/", None, MS_REC | MS_PRIVATE)
            work()
            code = 0
        except Exception as problem:  # the child may not return into its caller's frames
            print(f"{type(problem).__name__}: {problem}", flush=True)
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if status != 0:
        raise RuntimeError("a step in a mount namespace failed")
