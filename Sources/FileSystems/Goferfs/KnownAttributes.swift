import LinuxABI
import Synchronization

/// Attributes that file systems of the host know, as far as they were asked for. Of those a list of names tells all: what is not in it is not there.
/// Of others only the host can say which errno it gives.
///
/// Lock: a leaf.
final class KnownAttributes: Sendable {
    private struct Attribute: Hashable {
        var device: DeviceNumber
        var name: [UInt8]
    }
    private let known = Mutex<Set<Attribute>>([])
    private static let limit = 64
    private static let listed = ["user.", "security.", "system.posix_acl_"].map { Array($0.utf8) }

    func contains(_ name: [UInt8], on device: DeviceNumber) -> Bool {
        known.withLock { $0.contains(Attribute(device: device, name: name)) }
    }

    /// Does what asks the host for the value of attribute `name`, and learns from its answer.
    func asking(_ name: [UInt8], on device: DeviceNumber, _ ask: () throws(Errno) -> [UInt8]) throws(Errno) -> [UInt8] {
        do {
            let value = try ask()
            learn(name, device)
            return value
        } catch {
            if error == .ENODATA { learn(name, device) }
            throw error
        }
    }
    private func learn(_ name: [UInt8], _ device: DeviceNumber) {
        // Some file systems answer for attributes that they don't list.
        guard Self.listed.contains(where: { name.starts(with: $0) }) else { return }
        known.withLock { known in
            if known.count >= Self.limit { known = [] }
            known.insert(Attribute(device: device, name: name))
        }
    }
}
