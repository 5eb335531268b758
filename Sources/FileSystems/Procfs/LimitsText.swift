import Kernel

/// /proc/PID/limits.
enum LimitsText {
    private static let rows: [(ResourceLimit.Kind, String, String)] = [
        (.cpu, "Max cpu time", "seconds"), (.fileSize, "Max file size", "bytes"), (.data, "Max data size", "bytes"),
        (.stack, "Max stack size", "bytes"), (.core, "Max core file size", "bytes"), (.residentSet, "Max resident set", "bytes"),
        (.processes, "Max processes", "processes"), (.openFiles, "Max open files", "files"),
        (.lockedMemory, "Max locked memory", "bytes"), (.addressSpace, "Max address space", "bytes"),
        (.locks, "Max file locks", "locks"), (.pendingSignals, "Max pending signals", "signals"),
        (.messageQueue, "Max msgqueue size", "bytes"), (.nice, "Max nice priority", ""),
        (.realTimePriority, "Max realtime priority", ""), (.realTimeCPU, "Max realtime timeout", "us"),
    ]

    static func text(_ limit: (ResourceLimit.Kind) -> ResourceLimit) -> [UInt8] {
        var text = TextBuilder(reserving: 1536)
        row("Limit", "Soft Limit", "Hard Limit", "Units", &text)
        for (kind, name, unit) in rows {
            let value = limit(kind)
            row(name, number(value.soft), number(value.hard), unit, &text)
        }
        return text.bytes
    }

    private static func number(_ value: UInt64) -> String { value == ResourceLimit.infinity ? "unlimited" : String(value) }

    private static func row(_ name: String, _ soft: String, _ hard: String, _ unit: String, _ text: inout TextBuilder) {
        for (column, width) in [(name, 25), (soft, 20), (hard, 20)] {
            let start = text.bytes.count
            text.text(column)
            text.pad(to: width, from: start)
            text.space()
        }
        if !unit.isEmpty {
            let start = text.bytes.count
            text.text(unit)
            text.pad(to: 10, from: start)
        }
        text.newline()
    }
}
