import Kernel
import LinuxABI

/// The fixed names at the root of procfs.
enum ProcTree {
    static func entries(kernel: SandboxKernel, machine: MachineFacts) -> [SyntheticTreeEntry] {
        func system(_ file: SystemFile) -> SyntheticTreeEntry {
            .file(file.rawValue, SystemFileContent(file: file, kernel: kernel, machine: machine))
        }
        return [
            .text("cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled"),
            .file("cmdline", ConstantContent("\n")),
            system(.cpuinfo),
            .file("devices", ConstantContent(devices)),
            .file("diskstats", ConstantContent("")),
            .text("execdomains", "0-0\tLinux           \t[kernel]"),
            system(.filesystems),
            .directory("fs"),
            system(.interrupts),
            .file("key-users", KeyUsersContent(kernel: kernel)), .file("keys", KeyListContent(kernel: kernel)),
            system(.loadavg), system(.meminfo),
            .file("misc", ConstantContent("")),
            .file("modules", ConstantContent("")),
            .link("mounts", "self/mounts"), .link("net", "self/net"),
            .text("partitions", "major minor  #blocks  name\n"),
            system(.stat),
            .text("swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority"),
            .directory("sys", KernelSettings.entries(kernel: kernel)),
            .directory(
                "sysvipc", [SystemVContent.Kind.msg, .sem, .shm].map { .file($0.rawValue, SystemVContent(kind: $0)) }),
            .directory("tty"),
            system(.uptime), system(.version), system(.vmstat),
        ]
    }

    private static let devices = """
        Character devices:
          1 mem
          5 /dev/tty
          5 /dev/console
          5 /dev/ptmx
         10 misc
        136 pts

        Block devices:

        """
}
