import Glibc
import LinuxABI

extension HostMachine {
    /// The host's load averages over 1, 5 and 15 minutes.
    public static var loadAverages: (Double, Double, Double) {
        var values: [Double] = [0, 0, 0]
        // SAFETY: getloadavg stores at most the three values that the array holds.
        let count = unsafe values.withUnsafeMutableBufferPointer { unsafe getloadavg($0.baseAddress!, 3) }
        return count == 3 ? (values[0], values[1], values[2]) : (0, 0, 0)
    }

    /// The text of /proc/cpuinfo; empty where the host has none. Opens a file: call it before the process gives that up.
    public static func processorInformation() -> [UInt8] {
        // SAFETY: a constant path.
        let descriptor = unsafe open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var text: [UInt8] = []
        while true {
            let piece = unsafe [UInt8](unsafeUninitializedCapacity: 16_384) { buffer, count in
                // SAFETY: at most the capacity is stored, and `count` says how much.
                let n = unsafe read(descriptor, buffer.baseAddress!, 16_384)
                count = max(0, n)
            }
            if piece.isEmpty { return text }
            text += piece
        }
    }
}
