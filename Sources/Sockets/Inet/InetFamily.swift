import LinuxABI
import VirtualFileSystem

enum InetFamily {
    static func make(family: Int32, type: Int32, protocolNumber: Int32, caller: any Caller) throws(Errno) -> any Socket {
        throw .EAFNOSUPPORT
    }
}
