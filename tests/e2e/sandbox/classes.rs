//! What must not be possible from inside, in either mode: a test for each class, with several of its members. What a command does to
//! its workspace lands in an overlay, so that nothing on the machine may change at all.

use super::cage::{Cage, marked};
use pilotfish::sandbox::Exit;
use pilotfish_protocol::Mode;
use std::fs;
use std::io::Read;
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::process::{Command, Stdio};

/// Class: changing the workspace past the overlay, by any call that changes a folder, a file, or what is known of one.
#[tokio::test]
async fn the_workspace_stays_as_it_is() {
    let cage = Cage::new();
    for path in ["a.txt", "sub/b", "sub/deep/c", ".hidden"] {
        cage.write(path, "hello\n");
    }
    cage.holds(
        "echo x > new; echo y >> a.txt; rm a.txt; mkdir d; mkdir -p e/f/g; mv sub moved; ln sub/b hard; ln -s x soft; mkfifo p
         truncate -s 0 .hidden; chmod 777 sub/deep/c; touch -d 2001-01-01 sub/b; rm -rf -- * .[!.]*; cp /etc/passwd sub
         python3 -c 'import os; os.setxattr(\".\", \"user.x\", b\"y\"); os.rename(\"sub\", \"bus\")'",
    )
    .await;
}

/// Class: leaving something in a place that all programs of the machine share, or in the home folder.
#[tokio::test]
async fn nothing_lands_in_shared_places_or_at_home() {
    let cage = Cage::new();
    let mark = format!("pilotfish-mark-{}", std::process::id());
    cage.holds(&format!(
        "for d in ~ /tmp /var/tmp /dev/shm /run /var/lock \"$XDG_RUNTIME_DIR\" ~/.config ~/.local/bin; do mkdir -p $d; echo x > $d/{mark}; done
         echo evil >> ~/.bashrc; echo evil > ~/.profile; mkdir -p ~/.ssh && echo key > ~/.ssh/authorized_keys; crontab -l"
    ))
    .await;
    for folder in ["/tmp", "/var/tmp", "/dev/shm", "/run", "/var/lock"] {
        assert!(!std::path::Path::new(folder).join(&mark).exists(), "{folder}");
    }
}

/// Class: writing outside by a path that leads there.
#[tokio::test]
async fn no_path_leads_outside() {
    let cage = Cage::new();
    let outside = cage.outside().display().to_string();
    cage.holds(&format!(
        "for p in ../outside {outside} ./../outside /proc/self/root{outside} /proc/1/root{outside} /proc/thread-self/root{outside} \
           /proc/self/cwd/../outside //{outside} /dev/../{outside}; do
             echo x > $p/new; echo x >> $p/canary; rm -rf $p/canary $p; mkdir -p $p/d; done
         for q in /proc/[0-9]*; do echo x > $q/root{outside}/n; echo x > $q/cwd/../outside/n; done; cd ..; rm -rf ./*; echo x > /x"
    ))
    .await;
}

/// Class: writing outside through links that the repository ships, or that the command makes.
#[tokio::test]
async fn no_link_leads_outside() {
    let cage = Cage::new();
    let outside = cage.outside();
    let link = |target: &str, name: &str| {
        std::os::unix::fs::symlink(target, cage.workspace().join(name)).expect("a link");
    };
    fs::create_dir(cage.workspace().join("sub")).expect("a folder");
    for (target, name) in [
        ("../outside/canary", "file"),
        ("../outside", "folder"),
        (outside.to_str().expect("text"), "absolute"),
        ("folder", "twice"),
        ("../../outside", "sub/deep"),
        ("../outside/planted", "dangling"),
        ("/proc/self/root", "root"),
    ] {
        link(target, name);
    }
    cage.holds(&format!(
        "for d in folder absolute twice sub/deep root/{0}; do echo x > $d/new; echo x >> $d/canary; rm $d/canary; done
         echo x > file; echo x > dangling; cp /etc/passwd dangling; truncate -s 0 file
         ln -s {0}/canary l1; echo x > l1; ln -s {0} l2; echo x > l2/new; ln -sfn ../outside sub; echo x > sub/new; tar cf - l2/. ",
        outside.display()
    ))
    .await;
}

/// Class: a second name for a file outside.
#[tokio::test]
async fn no_hard_link_gives_a_way_out() {
    let cage = Cage::new();
    fs::hard_link(cage.outside().join("canary"), cage.workspace().join("shipped")).expect("a link");
    cage.holds(&format!(
        "echo x >> shipped; chmod 600 shipped; truncate -s 0 shipped; ln {0}/canary own && echo x > own
         ln ~/.bashrc own2 && echo x > own2; ln -L /proc/self/root{0}/canary own3 && echo x > own3; mv shipped /tmp && echo x > /tmp/shipped",
        cage.outside().display()
    ))
    .await;
}

/// Class: protected names of the workspace, at any depth and in any spelling, and folders swapped under them. They change in the upper
/// folder alone; whether they are published is decided outside.
#[tokio::test]
async fn what_runs_later_is_not_changed_by_running() {
    let cage = Cage::new();
    for path in [".git/config", ".git/hooks/sample", ".vscode/tasks.json", ".pilotfish/config.toml", "sub/.git/config"]
    {
        cage.write(path, "original\n");
    }
    cage.holds(
        "for f in .git/config .git/hooks/pre-commit sub/.git/config .vscode/tasks.json .VSCODE/settings.json .pilotfish/config.toml \
           .nvim.lua .exrc .envrc sub/.envrc .Git/hooks/x; do mkdir -p $(dirname $f); echo evil > $f; done
         mv .git .git2; mkdir -p .git/hooks; cp -r .git2/. .git/; echo x > .git/hooks/post-checkout; rm -rf .pilotfish; echo x > .pilotfish
         git init -q; git config core.hooksPath ./h",
    )
    .await;
}

/// Class: reaching a listener of the machine over TCP, by any address of it.
#[tokio::test]
async fn no_listener_is_reached_over_tcp() {
    let cage = Cage::new();
    let listener = TcpListener::bind("0.0.0.0:0").expect("a port");
    listener.set_nonblocking(true).expect("a listener");
    let port = listener.local_addr().expect("an address").port();
    cage.holds(&format!(
        "for h in 127.0.0.1 127.1.2.3 0.0.0.0 localhost ::1 ::ffff:127.0.0.1 $(hostname) 10.0.2.2 169.254.169.254; do
           timeout 1 bash -c \"echo hi > /dev/tcp/$h/{port}\"; done
         timeout 2 python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {port}), 1)'; true"
    ))
    .await;
    assert!(listener.accept().is_err());
}

/// Class: datagrams that carry something out: to resolvers, to listeners, and by raw or odd sockets.
#[tokio::test]
async fn no_datagram_leaves() {
    let cage = Cage::new();
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.set_nonblocking(true).expect("a socket");
    let port = socket.local_addr().expect("an address").port();
    let said = cage
        .holds(&format!(
            "echo leak > /dev/udp/127.0.0.1/{port}; timeout 1 getent hosts leak.example.org
             python3 -c '
import socket
def attempt(*kind):
    try: socket.socket(*kind); print(\"open\", kind)
    except OSError: pass
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b\"leak\", (\"127.0.0.1\", {port}))
for family in (17, 40, 38, 16 + 64, 21): attempt(family, socket.SOCK_DGRAM); attempt(family, socket.SOCK_STREAM)
attempt(socket.AF_INET, socket.SOCK_RAW, 1)'; true"
        ))
        .await;
    assert_eq!(said, "");
    assert!(socket.recv(&mut [0; 8]).is_err());
}

/// Class: sockets of the machine that have a name: docker's, the key agent's, the desktop's, our own.
#[tokio::test]
async fn no_socket_of_the_machine_is_reached() {
    let cage = Cage::new();
    let place = cage.outside().join("s.sock");
    let listener = UnixListener::bind(&place).expect("a socket");
    let datagrams = UnixDatagram::bind(cage.outside().join("d.sock")).expect("a socket");
    let hidden = SocketAddr::from_abstract_name(format!("pilotfish-{}", std::process::id()));
    let hidden = UnixListener::bind_addr(&hidden.expect("a name")).expect("a socket");
    for name in ["s.sock", "d.sock"] {
        fs::set_permissions(cage.outside().join(name), fs::Permissions::from_mode(0o777)).expect("a mode");
    }
    for listener in [&listener, &hidden] {
        listener.set_nonblocking(true).expect("a listener");
    }
    datagrams.set_nonblocking(true).expect("a socket");
    let said = cage
        .holds(&format!(
            "python3 -c '
import socket
for path in (\"{0}/s.sock\", \"../outside/s.sock\", \"/proc/self/root{0}/s.sock\", \"\\0pilotfish-{1}\", \"/run/docker.sock\", \"/var/run/docker.sock\"):
    try: socket.socket(socket.AF_UNIX).connect(path); print(\"connected\", path)
    except OSError: pass
try: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b\"x\", \"{0}/d.sock\"); print(\"sent\")
except OSError: pass'; ls -d /run/user /run/docker.sock /var/run/dbus; true",
            cage.outside().display(),
            std::process::id()
        ))
        .await;
    assert_eq!(said, "");
    assert!(listener.accept().is_err() && hidden.accept().is_err() && datagrams.recv(&mut [0; 8]).is_err());
}

/// Class: power, held or regained.
#[tokio::test]
async fn the_inside_has_no_power_and_cannot_regain_it() {
    let cage = Cage::new();
    let said = cage
        .holds(
            "grep -E '^(NoNewPrivs|CapEff|CapPrm|CapInh|CapAmb)' /proc/self/status | tr -d '\\t\\n'; ulimit -c; su -c true; sudo -n true
             cp /bin/bash b; chmod 4755 b; ./b -p -c 'grep CapEff /proc/self/status' | grep -v 0000000000000000
             unshare -Urm bash -c 'mount -o remount,rw /; mount -o remount,rw,bind /usr && touch /usr/x && echo wrote; mount -t tmpfs x /usr && touch /usr/y
               umount -l /usr; umount -l \"$PWD\"; echo x > ../outside/new'; touch /usr/x && echo wrote; true",
        )
        .await;
    let zeros = "0000000000000000";
    let once = format!("CapInh:{zeros}CapPrm:{zeros}CapEff:{zeros}CapAmb:{zeros}NoNewPrivs:10\n");
    assert_eq!(said, format!("{once}{once}"));
}

/// Class: processes that are not one's own: signals, tracing, looking into them.
#[tokio::test]
async fn other_processes_are_out_of_reach() {
    let cage = Cage::new();
    let mut bystander = Command::new("sleep").arg("300").stdin(Stdio::null()).spawn().expect("sleep");
    let pid = bystander.id();
    let ours = std::process::id();
    let said = cage
        .holds(&format!(
            "(for p in {pid} {ours}; do kill -0 $p && echo seen; kill -9 $p; kill -STOP $p; cat /proc/$p/environ /proc/$p/mem; done; kill -9 -1; kill -STOP -1); true"
        ))
        .await;
    assert_eq!(said, "");
    let state = fs::read_to_string(format!("/proc/{pid}/stat")).expect("alive");
    assert!(state.contains(" S ") || state.contains(" R "), "{state}");
    bystander.kill().expect("ended");
    bystander.wait().expect("ended");
}

/// Class: what the daemon knows and a command must not: its environment, its descriptors, the person's keys.
#[tokio::test]
async fn no_secret_is_visible() {
    let cage = Cage::new();
    let home = cage.folder.path().join("home");
    for path in [
        ".ssh/id_ed25519",
        ".aws/credentials",
        ".netrc",
        ".config/gh/hosts.yml",
        ".cargo/credentials.toml",
        ".docker/config.json",
    ] {
        fs::create_dir_all(home.join(path).parent().expect("a folder")).expect("a folder");
        fs::write(home.join(path), "SECRET\n").expect("written");
    }
    let said = cage
        .holds(
            "env | grep -iE 'key|token|secret' ; cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -iE 'key=|token=|CARGO_PKG'
             find ~ -type f | grep -v bashrc; grep -rs SECRET ~ /root /home /run /etc/shadow /etc/sudoers; ls /proc/self/fd | wc -w; ls /root /home; true",
        )
        .await;
    let lines: Vec<&str> = said.lines().filter(|line| *line != "4").collect();
    // The folder that holds the home is seen, empty but for it.
    assert!(lines.iter().all(|line| !line.contains("SECRET") && !line.contains('=')), "{said}");
}

/// Class: devices and settings of the machine.
#[tokio::test]
async fn no_device_and_no_setting_opens() {
    let cage = Cage::new();
    let said = cage
        .holds(
            "python3 -c '
import glob, os, stat
settings = [\"/proc/sys/kernel/core_pattern\", \"/proc/sysrq-trigger\", \"/sys/kernel/uevent_helper\", \"/proc/self/oom_score_adj\", \"/proc/sys/vm/drop_caches\", \"/proc/1/oom_score_adj\"]
harmless = {\"null\", \"zero\", \"full\", \"random\", \"urandom\", \"ptmx\", \"tty\"}
for path in glob.glob(\"/dev/**\", recursive=True) + settings:
    if os.path.basename(path) in harmless or path.startswith((\"/dev/fd\", \"/dev/std\", \"/dev/pts\")) or os.path.isdir(path): continue
    try: os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK)); print(\"opened\", path)
    except OSError: pass
'; mknod b b 7 0 && echo made; mknod c c 1 1 && cat c && echo read; true",
        )
        .await;
    assert_eq!(said, "");
}

/// Class: calls that go round what was forbidden.
#[tokio::test]
async fn calls_that_bypass_the_rules_are_absent() {
    let cage = Cage::new();
    let said = cage
        .holds(
            "python3 -c '
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
for number in (425, 321, 250, 248, 249, 323, 298, 438, 500, 0x40000000 + 1, 0x40000000 + 59):
    libc.syscall(number, 0, 0, 0, 0, 0, 0)
    print(errno.errorcode.get(ctypes.get_errno()), end=\" \")
'",
        )
        .await;
    if cfg!(target_arch = "x86_64") {
        let once = "ENOSYS ".repeat(11);
        assert_eq!(said, format!("{once}{once}"));
    }
}

/// Class: outliving the command.
#[tokio::test]
async fn nothing_outlives_the_command() {
    let cage = Cage::new();
    let mark = format!("outlives-{}", std::process::id());
    let loop_forever = format!("bash -c 'trap \"\" TERM HUP INT QUIT; while :; do sleep 1; done; : {mark}'");
    for start in [
        format!("{loop_forever} &"),
        format!("setsid {loop_forever} &"),
        format!("setsid nohup {loop_forever} > /dev/null 2>&1 & disown"),
        format!("(setsid {loop_forever} &) &"),
        format!("setsid unshare -Ur {loop_forever} &"),
    ] {
        let (finished, _) = cage.run(Mode::Agent, &format!("{start} echo done; exit 3"), None).await;
        assert_eq!((finished.status, marked(&mark)), (Exit::Code(3), 0), "{start}");
    }
    let (finished, _) = cage.run(Mode::Agent, &format!("{loop_forever} & kill -9 $$"), None).await;
    assert_eq!((finished.status, marked(&mark)), (Exit::Signal(9), 0));
}

/// Class: waiting for a person who is not there.
#[tokio::test]
async fn input_is_at_its_end() {
    let cage = Cage::new();
    for script in
        ["cat; read x; head -c 1; echo done", "cat < /dev/stdin; echo done", "(cat > /dev/tty) 2>/dev/null; echo done"]
    {
        cage.check(Mode::Agent, script, Exit::Code(0), "done\n").await;
    }
}

/// Class: using up what all share. The number of processes is bounded, and the kernel ends a command before an editor.
#[tokio::test]
async fn a_command_is_bounded_and_the_first_to_go() {
    let cage = Cage::new();
    let (_, said) = cage
        .run(Mode::Agent, "cat /proc/self/oom_score_adj; ulimit -Hu; ulimit -u unlimited || echo bounded", None)
        .await;
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.first(), Some(&"500"));
    assert!(lines.get(1).and_then(|most| most.parse::<u64>().ok()).is_some_and(|most| most <= 16_384), "{said}");
    assert!(said.ends_with("bounded\n"), "{said}");
}

/// Class: what was open when the program started that runs us.
#[tokio::test]
async fn descriptors_of_the_caller_stay_outside() {
    let cage = Cage::new();
    let canary = fs::OpenOptions::new().append(true).open(cage.outside().join("canary")).expect("open");
    // Not marked to be closed, as programs in other languages leave them.
    let shown = Command::new("true").stdin(canary.try_clone().expect("open")).status();
    assert!(shown.expect("true").success());
    let said = cage
        .holds("for n in 3 4 5 6 7 8 9 10 11 12; do echo x >&$n && echo wrote; done; ls /proc/self/fd | wc -w; true")
        .await;
    assert!(!said.contains("wrote"), "{said}");
    let mut text = String::new();
    fs::File::open(cage.outside().join("canary")).and_then(|mut file| file.read_to_string(&mut text)).expect("read");
    assert_eq!(text, "canary\n");
}

/// Every way to give a file the rights of its owner or group, and then what came of them.
const SETS_IDS: &str = r#"python3 -c '
import ctypes, os, stat
libc = ctypes.CDLL(None, use_errno=True)
def attempt(f, *arguments, **named):
    try:
        return f(*arguments, **named)
    except OSError as error:
        pass
for bit in (0o4000, 0o2000, 0o6000):
    mode = bit | 0o755
    for place in (".", "/tmp"):
        at = lambda name: f"{place}/{name}-{bit:o}"
        for name in ("chmod", "fchmod", "fchmodat", "fchmodat2"):
            open(at(name), "w").close()
        attempt(os.chmod, at("chmod"), mode)
        with open(at("fchmod")) as file:
            attempt(os.fchmod, file.fileno(), mode)
        libc.syscall(268, -100, at("fchmodat").encode(), mode)
        libc.syscall(452, -100, at("fchmodat2").encode(), mode, 0)
        attempt(os.open, at("openat"), os.O_CREAT | os.O_WRONLY, mode)
        libc.syscall(2, at("open").encode(), os.O_CREAT | os.O_WRONLY, mode)
        libc.syscall(85, at("creat").encode(), mode)
        how = (ctypes.c_uint64 * 3)(os.O_CREAT | os.O_WRONLY, mode, 0)
        libc.syscall(437, -100, at("openat2").encode(), ctypes.byref(how), 24)
        nameless = attempt(os.open, place, os.O_TMPFILE | os.O_WRONLY, mode)
        if nameless is not None:
            attempt(os.link, f"/proc/self/fd/{nameless}", at("nameless"), follow_symlinks=True)
        attempt(os.mknod, at("mknodat"), stat.S_IFREG | mode)
        libc.syscall(133, at("mknod").encode(), stat.S_IFREG | mode, 0)
        for name in sorted(os.listdir(place)):
            found = os.lstat(f"{place}/{name}")
            if stat.S_ISREG(found.st_mode) and found.st_mode & 0o6000:
                print(place, name)
'"#;

/// Class: leaving a program that runs with the rights of its owner or group, whoever starts it. The numbers are those of x86-64.
#[cfg(target_arch = "x86_64")]
#[tokio::test]
async fn no_file_gets_the_rights_of_its_owner_or_group() {
    let cage = Cage::new();
    assert_eq!(cage.holds(SETS_IDS).await, "");
}

/// Ordinary modes are given as ever, and so is the group of a folder to what is made in it.
#[tokio::test]
async fn ordinary_modes_are_given() {
    let cage = Cage::new();
    let script = "umask 022; touch a; chmod 4755 a 2>/dev/null || echo refused; chmod 1777 a; chmod 0751 a; install -m 700 a b; cp -p a c
         mkdir -m 750 d; tar cf t a d; mkdir x; tar xpf t -C x; stat -c '%a %n' a b c d x/a x/d";
    cage.check(Mode::Agent, script, Exit::Code(0), "refused\n751 a\n700 b\n751 c\n750 d\n751 x/a\n750 x/d\n").await;
}
