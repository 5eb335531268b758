import FoundationEssentials
import HostOS
import LinuxABI

/// A bundle: a directory with config.json and, as a rule, the root file system.
public struct Bundle: Sendable {
    /// Absolute, without symbolic links.
    public let path: String
    public let spec: RuntimeSpec
    /// config.json as it was read: later edits have no effect.
    public let bytes: [UInt8]

    public init(path: String) throws(RuntimeError) {
        do throws(Errno) { self.path = String(decoding: try HostPaths.resolve(Array(path.utf8)), as: UTF8.self) } catch {
            throw RuntimeError("the bundle \(path) cannot be used: \(error)")
        }
        let config = self.path + "/config.json"
        do throws(Errno) { bytes = try HostPaths.read(Array(config.utf8)) } catch {
            if error == .ENOENT { throw RuntimeError("JSON specification file config.json not found in \(self.path)") }
            throw RuntimeError("\(config) cannot be read: \(error)")
        }
        spec = try Self.decode(bytes, config)
    }

    /// A configuration from its bytes; `name` is for messages.
    public static func decode(_ bytes: [UInt8], _ name: String) throws(RuntimeError) -> RuntimeSpec { try SpecJSON.decode(bytes, name) }

    /// The root file system: absolute, an existing directory.
    public func rootPath() throws(RuntimeError) -> String {
        let given = spec.root?.path ?? ""
        let full = given.hasPrefix("/") ? given : path + "/" + given
        do throws(Errno) {
            let resolved = try HostPaths.resolve(Array(full.utf8))
            guard HostProcess.kind(ofPath: resolved) == .directory else { throw .ENOTDIR }
            return String(decoding: resolved, as: UTF8.self)
        } catch { throw RuntimeError("root.path: invalid rootfs \(full): \(error)") }
    }
}

/// Reads JSON of the specification; messages name the field.
public enum SpecJSON {
    public static func decode<T: Decodable>(_ bytes: [UInt8], _ name: String) throws(RuntimeError) -> T {
        do {
            return try JSONDecoder().decode(T.self, from: Data(bytes))
        } catch let error as DecodingError {
            throw RuntimeError("\(name): \(describe(error))")
        } catch { throw RuntimeError("\(name): \(error)") }
    }

    private static func describe(_ error: DecodingError) -> String {
        func place(_ path: [any CodingKey]) -> String {
            var text = ""
            for key in path {
                if let index = key.intValue { text += "[\(index)]" } else { text += (text.isEmpty ? "" : ".") + key.stringValue }
            }
            return text.isEmpty ? "the document" : text
        }
        switch error {
        case .typeMismatch(let type, let context): return "\(place(context.codingPath)): expected \(word(type))"
        case .valueNotFound(let type, let context): return "\(place(context.codingPath)): expected \(word(type)), found null"
        case .keyNotFound(let key, let context): return "\(place(context.codingPath + [key])): missing"
        case .dataCorrupted(let context):
            return context.codingPath.isEmpty ? "not valid JSON" : "\(place(context.codingPath)): \(context.debugDescription)"
        @unknown default: return "not usable"
        }
    }
    private static func word(_ type: any Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Bool.Type: "true or false"
        case is Int.Type, is Int64.Type, is UInt16.Type, is UInt32.Type, is UInt64.Type: "a number"
        case is [Any].Type: "a list"
        default: "an object"
        }
    }
}
