import HostOS

/// Time of day as RFC 3339, in UTC.
public enum Timestamp {
    public static func now(nanoseconds: Bool = true) -> String {
        let time = HostProcess.realTime
        return text(seconds: time.seconds, nanoseconds: nanoseconds ? time.nanoseconds : nil)
    }

    static func text(seconds: Int64, nanoseconds: Int64?) -> String {
        let days = Int64((Double(seconds) / 86400).rounded(.down)), rest = seconds - days * 86400
        // Civil date from days since 1970-01-01 (Hinnant's algorithm).
        let z = days + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let m = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * m + 2) / 5 + 1
        let month = m < 10 ? m + 3 : m - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        var text = "\(year)-\(two(month))-\(two(day))T\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60))"
        if let nanoseconds {
            let digits = String(nanoseconds)
            text += "." + String(repeating: "0", count: max(0, 9 - digits.count)) + digits
        }
        return text + "Z"
    }
}
