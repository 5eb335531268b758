import LinuxABI

/// What a master in packet mode is told of its terminal (ioctl_tty(2), TIOCPKT): the byte before the data, where 0 says that data
/// follow.
struct PacketStatus: OptionSet, Sendable {
    let rawValue: UInt8
    static let flushedReads = PacketStatus(rawValue: 1)  // TIOCPKT_FLUSHREAD
    static let flushedWrites = PacketStatus(rawValue: 2)  // TIOCPKT_FLUSHWRITE
    static let stopped = PacketStatus(rawValue: 4)  // TIOCPKT_STOP
    static let started = PacketStatus(rawValue: 8)  // TIOCPKT_START
    /// STOP and START are not ^S and ^Q, or mean nothing.
    static let ignoresFlowKeys = PacketStatus(rawValue: 16)  // TIOCPKT_NOSTOP
    static let obeysFlowKeys = PacketStatus(rawValue: 32)  // TIOCPKT_DOSTOP
    /// The settings changed, under EXTPROC.
    static let changedSettings = PacketStatus(rawValue: 64)  // TIOCPKT_IOCTL
}

extension LineDiscipline {
    /// Marks `status` for the master, in place of what it contradicts.
    mutating func tell(_ status: PacketStatus, insteadOf opposite: PacketStatus = []) {
        guard isPacketMode else { return }
        packetStatus.subtract(opposite)
        packetStatus.formUnion(status)
    }

    /// TIOCPKT. Entering the mode forgets what came before.
    mutating func setPacketMode(_ isOn: Bool) {
        if isOn && !isPacketMode { packetStatus = [] }
        isPacketMode = isOn
    }

    /// pty_stop and pty_start of the kernel.
    mutating func flowChanged(from wasFlowing: Bool) {
        guard isFlowing != wasFlowing else { return }
        if isFlowing { tell(.started, insteadOf: .stopped) } else { tell(.stopped, insteadOf: .started) }
    }

    /// pty_set_termios of the kernel.
    mutating func settingsChanged(from old: Termios, to new: Termios) {
        func obeys(_ settings: Termios) -> Bool {
            settings.input.contains(.flowControl) && settings[.stop] == 0x13 && settings[.start] == 0x11
        }
        if obeys(old) != obeys(new) {
            if obeys(new) {
                tell(.obeysFlowKeys, insteadOf: .ignoresFlowKeys)
            } else {
                tell(.ignoresFlowKeys, insteadOf: .obeysFlowKeys)
            }
        }
        if old.local.union(new.local).contains(.externalProcessing) { tell(.changedSettings) }
    }
}
