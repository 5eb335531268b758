import Confinement
import GoferProtocol
import HostOS
import LinuxABI

/// The Gofer: serves granted host paths to one sandbox over the socket it was started with, until that closes.
func serve() throws(Errno) {
    let arguments = try GoferArguments(words: HostProcess.argumentBytes)
    let descriptorLimit = try HostConfinement.confineChild(parent: arguments.parent, keep: arguments.socket)
    let socket = MessageSocket(HostDescriptor(owning: arguments.socket))
    let server = try GoferServer(grants: arguments.grants, hides: arguments.hides, descriptorLimit: descriptorLimit)
    try Confinement.lockGofer(writes: arguments.grants.contains { $0.isWritable })
    try server.run(socket)
}

do {
    try serve()
} catch {
    // Standard error is not ours to write to; the client sees the socket close, and the status tells the errno.
    HostProcess.exitNow(error == .EPIPE || error == .ECONNRESET ? 0 : max(1, min(error.rawValue, 125)))
}
