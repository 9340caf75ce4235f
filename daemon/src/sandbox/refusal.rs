//! What a refusal means and how to mend it: from the failed step and the machine's settings to words. [`mend`] is pure.

use std::path::Path;

use crate::sandbox::wire::Report;

/// What this machine says about itself that decides whether commands can be confined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Machine {
    /// AppArmor keeps ordinary programs from using user namespaces (Ubuntu since 23.10).
    pub apparmor_restricts: bool,
    /// `kernel.unprivileged_userns_clone` is 0 (Debian's switch).
    pub clone_switched_off: bool,
    /// `user.max_user_namespaces` is 0.
    pub no_user_namespaces: bool,
    /// We run in a container.
    pub in_container: bool,
    /// This is a Linux.
    pub is_linux: bool,
}

impl Machine {
    /// Looks at the machine we run on.
    #[must_use]
    pub fn look() -> Self {
        let setting = |path: &str| std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
        let container_marks = ["/.dockerenv", "/run/.containerenv", "/run/systemd/container"];
        Self {
            apparmor_restricts: setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").as_deref()
                == Some("1"),
            clone_switched_off: setting("/proc/sys/kernel/unprivileged_userns_clone").as_deref() == Some("0"),
            no_user_namespaces: setting("/proc/sys/user/max_user_namespaces").as_deref() == Some("0"),
            in_container: container_marks.iter().any(|path| Path::new(path).exists()),
            is_linux: cfg!(target_os = "linux"),
        }
    }
}

/// Says in one line what was attempted and what the system answered; nothing for a command that ran.
#[must_use]
pub fn reason(report: &Report) -> Option<String> {
    match report {
        Report::Exited(_) | Report::Signalled(_) | Report::Listening => None,
        Report::Refused { step, detail, by_machine: _, errno: _ } => Some(format!("cannot {step}: {detail}")),
    }
}

/// Says what a person can do so that commands can be confined here. `helper` is where `pilotfish-sandbox` lies.
#[must_use]
pub fn mend(machine: Machine, helper: &Path) -> String {
    if !machine.is_linux {
        return "commands can be confined on Linux only so far; on Windows use WSL 2".to_owned();
    }
    if machine.clone_switched_off {
        return "allow user namespaces: sudo sysctl -w kernel.unprivileged_userns_clone=1".to_owned();
    }
    if machine.no_user_namespaces {
        return "allow user namespaces: sudo sysctl -w user.max_user_namespaces=15000".to_owned();
    }
    if machine.in_container {
        return "start the container so that it may make namespaces: docker run --security-opt seccomp=unconfined \
                --security-opt apparmor=unconfined --security-opt systempaths=unconfined"
            .to_owned();
    }
    if machine.apparmor_restricts {
        return format!(
            "let AppArmor allow it for this one program: printf 'abi <abi/4.0>,\\ninclude <tunables/global>\\nprofile \
             pilotfish-sandbox {} flags=(unconfined) {{\\n  userns,\\n}}\\n' | sudo tee \
             /etc/apparmor.d/pilotfish-sandbox && sudo apparmor_parser -r /etc/apparmor.d/pilotfish-sandbox",
            helper.display()
        );
    }
    "the kernel must be 5.13 or newer with user namespaces, and nothing around this process may forbid them".to_owned()
}

#[cfg(test)]
mod tests;
