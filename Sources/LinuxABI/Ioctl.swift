/// ioctl(2) requests that concern files in general, pipes and sockets.
public enum IoctlRequest {
    /// Bytes that can be read now; SIOCINQ of sockets and TIOCINQ of terminals are the same number.
    public static let FIONREAD: UInt32 = 0x541b
    public static let FIONBIO: UInt32 = 0x5421
    public static let FIONCLEX: UInt32 = 0x5450
    public static let FIOCLEX: UInt32 = 0x5451
    public static let FIOASYNC: UInt32 = 0x5452
    /// Bytes sent and not yet received by the peer; TIOCOUTQ.
    public static let SIOCOUTQ: UInt32 = 0x5411
    public static let SIOCATMARK: UInt32 = 0x8905
    public static let SIOCGIFNAME: UInt32 = 0x8910
    public static let SIOCGIFCONF: UInt32 = 0x8912
    public static let SIOCGIFFLAGS: UInt32 = 0x8913
    public static let SIOCSIFFLAGS: UInt32 = 0x8914
    public static let SIOCGIFADDR: UInt32 = 0x8915
    public static let SIOCGIFNETMASK: UInt32 = 0x891b
    public static let SIOCGIFMTU: UInt32 = 0x8921
    public static let SIOCGIFHWADDR: UInt32 = 0x8927
    public static let SIOCGIFINDEX: UInt32 = 0x8933
}
