import LinuxABI
import VirtualFileSystem

enum NetlinkSocket {
    static func make(type: Int32, protocolNumber: Int32, caller: any Caller) throws(Errno) -> any Socket {
        throw .EAFNOSUPPORT
    }
}
