/// The Linux that the sandbox says it is: uname(2), /proc/version, /proc/sys/kernel.
public enum LinuxVersion {
    /// `sysname`, /proc/sys/kernel/ostype.
    public static let system = "Linux"
    public static let release = "6.18.0"
    /// `version` of uname(2): the build.
    public static let build = "#1 SMP PREEMPT_DYNAMIC Stockade"
    public static let machine = "x86_64"
}
