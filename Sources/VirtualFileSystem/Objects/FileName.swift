/// One path component as bytes: any byte but `/` and NUL, 1...255 of them.
public struct FileName: Hashable, Sendable {
    public let bytes: [UInt8]
    public init(_ bytes: [UInt8]) { self.bytes = bytes }
    public init(_ text: String) { bytes = Array(text.utf8) }
    public static let maximumLength = 255
}
