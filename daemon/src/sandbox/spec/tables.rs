//! What of the machine a command sees, as tables: the system's programs, the toolchains' stores, and what is never granted.

/// Programs and libraries of the system.
pub(super) const SYSTEM: &[&str] = &[
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/opt",
    "/nix",
    "/gnu/store",
    "/run/current-system",
    "/home/linuxbrew/.linuxbrew",
];

/// What programs of the system read. Of `/etc` only what is no secret and tells nothing but how this machine is set up.
pub(super) const SYSTEM_FILES: &[&str] = &[
    "/etc/alternatives",
    "/etc/bash.bashrc",
    "/etc/ca-certificates",
    "/etc/ca-certificates.conf",
    "/etc/crypto-policies",
    "/etc/debian_version",
    "/etc/fonts",
    "/etc/gai.conf",
    "/etc/gitconfig",
    "/etc/group",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/inputrc",
    "/etc/java",
    "/etc/java-11-openjdk",
    "/etc/java-17-openjdk",
    "/etc/java-21-openjdk",
    "/etc/java-25-openjdk",
    "/etc/java-8-openjdk",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/locale.alias",
    "/etc/locale.conf",
    "/etc/localtime",
    "/etc/lsb-release",
    "/etc/magic",
    "/etc/maven/logging",
    "/etc/maven/m2.conf",
    "/etc/mime.types",
    "/etc/networks",
    "/etc/nsswitch.conf",
    "/etc/os-release",
    "/etc/passwd",
    "/etc/perl",
    "/etc/pki/ca-trust",
    "/etc/pki/tls/certs",
    "/etc/profile",
    "/etc/profile.d",
    "/etc/protocols",
    "/etc/python3",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/shells",
    "/etc/ssl/cert.pem",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/static",
    "/etc/terminfo",
    "/etc/timezone",
    "/etc/xattr.conf",
    "/sys/devices/system/cpu",
    "/var/lib/ca-certificates",
];

/// Devices that hold nothing and belong to nobody.
pub(super) const DEVICES: &[&str] = &["/dev/full", "/dev/null", "/dev/random", "/dev/urandom", "/dev/zero"];

/// What a program that sees no process of its own namespace may still read of `/proc`: the machine, and no process.
pub(super) const MACHINE_FILES: &[&str] = &[
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys/kernel",
    "/proc/sys/vm",
    "/proc/uptime",
    "/proc/version",
];

/// A toolchain's own place: the variable that names it, its usual place below the home folder, and the parts of it that hold
/// programs and packages. Where all of it does, the part is empty. What holds credentials is never named.
pub(super) struct Store {
    /// The variable that names the place; empty when there is none.
    pub(super) variable: &'static str,
    /// Where it usually is.
    pub(super) below_home: &'static str,
    /// Parts that are read and run.
    pub(super) parts: &'static [&'static str],
    /// Parts that tools write to as well: what they write is thrown away with the command.
    pub(super) thrown: &'static [&'static str],
}

const fn store(
    variable: &'static str,
    below_home: &'static str,
    parts: &'static [&'static str],
    thrown: &'static [&'static str],
) -> Store {
    Store { variable, below_home, parts, thrown }
}

pub(super) const STORES: &[Store] = &[
    // Rust.
    store("CARGO_HOME", ".cargo", &["bin"], &["registry", "git"]),
    store("RUSTUP_HOME", ".rustup", &["settings.toml", "toolchains", "update-hashes"], &[]),
    store("", ".cache/sccache", &[], &[""]),
    // JavaScript.
    store("NVM_DIR", ".nvm", &["versions"], &[]),
    store("VOLTA_HOME", ".volta", &["bin", "tools"], &[]),
    store("BUN_INSTALL", ".bun", &["bin"], &["install/cache"]),
    store("DENO_INSTALL", ".deno", &["bin"], &[]),
    store("DENO_DIR", ".cache/deno", &[], &[""]),
    store("PNPM_HOME", ".local/share/pnpm", &[], &[""]),
    store("", ".cache/pnpm", &[], &[""]),
    store("", ".npm", &[], &["_cacache", "_npx"]),
    store("YARN_CACHE_FOLDER", ".cache/yarn", &[], &[""]),
    store("", ".yarn/berry", &[], &["cache"]),
    store("", ".cache/node", &[], &["corepack"]),
    store("", ".cache", &["ms-playwright", "Cypress", "puppeteer"], &["electron", "prisma", "typescript"]),
    store("", ".fnm", &["aliases", "node-versions"], &[]),
    // Python.
    store("PYENV_ROOT", ".pyenv", &[""], &[]),
    store("VIRTUAL_ENV", ".virtualenvs", &[""], &[]),
    store("", ".local", &["bin", "lib", "share/uv/python", "share/uv/tools", "share/virtualenvs", "share/hatch"], &[]),
    store("UV_CACHE_DIR", ".cache/uv", &[], &[""]),
    store("PIP_CACHE_DIR", ".cache/pip", &[], &[""]),
    store("", ".cache", &[], &["pypoetry", "pre-commit", "pytest", "matplotlib"]),
    store("", "miniconda3", &[""], &[]),
    store("", "miniforge3", &[""], &[]),
    // Go.
    store("GOPATH", "go", &["bin"], &["pkg/mod"]),
    store("GOMODCACHE", "go/pkg/mod", &[], &[""]),
    store("GOCACHE", ".cache/go-build", &[], &[""]),
    store("GOROOT", ".local/go", &[""], &[]),
    store("", ".cache", &[], &["golangci-lint", "gopls", "staticcheck"]),
    // The virtual machine of Java.
    store("JAVA_HOME", ".jdks", &[""], &[]),
    store("SDKMAN_DIR", ".sdkman", &["candidates"], &[]),
    store("", ".m2", &["wrapper"], &["repository"]),
    store("GRADLE_USER_HOME", ".gradle", &["jdks"], &["caches", "native", "wrapper"]),
    store("", ".ivy2", &[], &["cache", "local"]),
    store("", ".sbt", &["launchers"], &["boot"]),
    store("", ".cache", &[], &["coursier"]),
    // .NET.
    store("DOTNET_ROOT", ".dotnet", &[""], &[]),
    store("NUGET_PACKAGES", ".nuget/packages", &[], &[""]),
    // C and C++, Zig.
    store("CCACHE_DIR", ".cache/ccache", &[], &[""]),
    store("", ".ccache", &[], &[""]),
    store("", ".conan2", &[], &["p"]),
    store("", ".cache", &[], &["zig", "bazelisk", "vcpkg"]),
    // Ruby.
    store("RBENV_ROOT", ".rbenv", &[""], &[]),
    store("", ".gem", &["ruby"], &[]),
    store("", ".local/share/gem", &["ruby"], &[]),
    store("", ".bundle", &[], &["cache"]),
    // Others.
    store("ASDF_DATA_DIR", ".asdf", &["bin", "installs", "lib", "plugins", "shims"], &[]),
    store("MISE_DATA_DIR", ".local/share/mise", &["installs", "shims"], &[]),
    store("", ".ghcup", &["bin", "ghc"], &[]),
    store("", ".cabal", &["bin"], &["packages", "store"]),
    store("", ".local/state/cabal", &[], &["store"]),
    store("", ".stack", &["programs"], &["snapshots", "pantry"]),
    store("", ".opam", &[""], &[]),
    store("", ".elan", &["bin", "toolchains"], &[]),
    store("", ".mix", &["archives", "elixir"], &[]),
    store("", ".hex", &[], &["packages"]),
    store("", ".cache", &[], &["rebar3", "composer", "dune"]),
    store("", ".pub-cache", &["bin", "global_packages"], &["git", "hosted", "hosted-hashes"]),
    store("", ".julia", &["artifacts", "juliaup", "packages", "registries"], &["compiled"]),
];

/// Variables of stores that tools look for below their home folder, where that is not the person's.
pub(super) const WITHOUT_HOME: &[&str] =
    &["CARGO_HOME", "GOPATH", "NVM_DIR", "PYENV_ROOT", "RBENV_ROOT", "RUSTUP_HOME", "VOLTA_HOME"];

/// Below the home folder: what holds keys, passwords and the person's traces. No grant may reach any of it.
pub(super) const SECRETS: &[&str] = &[
    ".aws",
    ".azure",
    ".cargo/credentials",
    ".cargo/credentials.toml",
    ".config/chromium",
    ".config/gcloud",
    ".config/gh",
    ".config/git",
    ".config/glab-cli",
    ".config/google-chrome",
    ".config/op",
    ".config/pip",
    ".config/rclone",
    ".docker",
    ".gem/credentials",
    ".git-credentials",
    ".gitconfig",
    ".gnupg",
    ".gradle/gradle.properties",
    ".hex/hex.config",
    ".kube",
    ".local/share/keyrings",
    ".local/share/kwalletd",
    ".m2/settings.xml",
    ".mozilla",
    ".netrc",
    ".npmrc",
    ".password-store",
    ".pip",
    ".pypirc",
    ".ssh",
    ".terraform.d",
    ".thunderbird",
    ".vault-token",
    ".yarnrc.yml",
];
