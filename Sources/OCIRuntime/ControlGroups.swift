import HostOS
import LinuxABI

/// The host's control groups of one container: made by `create`, removed by `delete`. Version 1 hierarchies, the unified one, or both, as the host
/// has them mounted.
struct ControlGroups {
    /// One hierarchy: where it is mounted and what it controls. The unified one controls what cgroup.controllers says.
    struct Hierarchy: Equatable {
        var mountPoint: String
        var controllers: [String]
        var isUnified: Bool
    }

    /// From the text of /proc/self/mountinfo.
    static func hierarchies(mountInformation text: String) -> [Hierarchy] {
        var result: [Hierarchy] = []
        let known: Set<Substring> = ["cpu", "cpuacct", "cpuset", "memory", "pids", "blkio", "hugetlb", "freezer", "devices"]
        for line in text.split(separator: "\n") {
            let halves = line.split(separator: " ", omittingEmptySubsequences: true)
            guard let dash = halves.firstIndex(of: "-"), halves.count > dash + 3, halves.count > 4 else { continue }
            let place = String(halves[4]), type = halves[dash + 1]
            if type == "cgroup2" {
                result.append(Hierarchy(mountPoint: place, controllers: [], isUnified: true))
            } else if type == "cgroup" {
                let controllers = halves[dash + 3].split(separator: ",").filter { known.contains($0) }.map(String.init)
                if !controllers.isEmpty { result.append(Hierarchy(mountPoint: place, controllers: controllers, isUnified: false)) }
            }
        }
        return result
    }

    /// File and value for each resource that is asked for. Version 1 names, then version 2 names.
    struct Setting: Equatable {
        var field: String
        var controller: String
        var legacy: [(file: String, value: String)]
        var unified: [(file: String, value: String)]
        static func == (a: Setting, b: Setting) -> Bool {
            a.field == b.field && a.legacy.map(\.file) == b.legacy.map(\.file) && a.legacy.map(\.value) == b.legacy.map(\.value)
                && a.unified.map(\.file) == b.unified.map(\.file) && a.unified.map(\.value) == b.unified.map(\.value)
        }
    }

    static func settings(_ resources: RuntimeSpec.Resources) -> [Setting] {
        var result: [Setting] = []
        func add(_ field: String, _ controller: String, _ legacy: [(String, String)], _ unified: [(String, String)]) {
            result.append(
                Setting(
                    field: "linux.resources." + field, controller: controller, legacy: legacy.map { (file: $0.0, value: $0.1) },
                    unified: unified.map { (file: $0.0, value: $0.1) }))
        }
        func bytes(_ value: Int64) -> String { value < 0 ? "max" : String(value) }
        if let memory = resources.memory {
            if let limit = memory.limit, limit != 0 {
                add("memory.limit", "memory", [("memory.limit_in_bytes", String(limit))], [("memory.max", bytes(limit))])
            }
            if let reservation = memory.reservation, reservation != 0 {
                add("memory.reservation", "memory", [("memory.soft_limit_in_bytes", String(reservation))], [("memory.low", bytes(reservation))])
            }
            if let swap = memory.swap, swap != 0 {
                let own = swap < 0 ? "max" : String(max(0, swap - max(0, memory.limit ?? 0)))
                add("memory.swap", "memory", [("memory.memsw.limit_in_bytes", String(swap))], [("memory.swap.max", own)])
            }
            if let swappiness = memory.swappiness { add("memory.swappiness", "memory", [("memory.swappiness", String(swappiness))], []) }
            if let off = memory.disableOOMKiller, off { add("memory.disableOOMKiller", "memory", [("memory.oom_control", "1")], []) }
        }
        if let cpu = resources.cpu {
            if let shares = cpu.shares, shares != 0 {
                // The kernel's own scale: 2…262144 to 1…10000.
                let weight = 1 + (min(max(shares, 2), 262_144) - 2) * 9999 / 262_142
                add("cpu.shares", "cpu", [("cpu.shares", String(shares))], [("cpu.weight", String(weight))])
            }
            if cpu.quota ?? 0 != 0 || cpu.period ?? 0 != 0 {
                let quota = cpu.quota ?? 0, period = cpu.period ?? 0
                var legacy: [(String, String)] = []
                if period != 0 { legacy.append(("cpu.cfs_period_us", String(period))) }
                if quota != 0 { legacy.append(("cpu.cfs_quota_us", String(quota))) }
                add("cpu.quota", "cpu", legacy, [("cpu.max", (quota <= 0 ? "max" : String(quota)) + (period == 0 ? "" : " \(period)"))])
            }
            if let burst = cpu.burst { add("cpu.burst", "cpu", [("cpu.cfs_burst_us", String(burst))], [("cpu.max.burst", String(burst))]) }
            if let idle = cpu.idle { add("cpu.idle", "cpu", [("cpu.idle", String(idle))], [("cpu.idle", String(idle))]) }
            if let runtime = cpu.realtimeRuntime, runtime != 0 {
                add("cpu.realtimeRuntime", "cpu", [("cpu.rt_runtime_us", String(runtime))], [])
            }
            if let cpus = cpu.cpus, !cpus.isEmpty { add("cpu.cpus", "cpuset", [("cpuset.cpus", cpus)], [("cpuset.cpus", cpus)]) }
            if let mems = cpu.mems, !mems.isEmpty { add("cpu.mems", "cpuset", [("cpuset.mems", mems)], [("cpuset.mems", mems)]) }
        }
        if let block = resources.blockIO {
            if let weight = block.weight, weight != 0 {
                add("blockIO.weight", "blkio", [("blkio.weight", String(weight))], [("io.bfq.weight", String(weight))])
            }
            let lists: [(String, [RuntimeSpec.Throttle]?, String, String)] = [
                ("throttleReadBpsDevice", block.throttleReadBpsDevice, "blkio.throttle.read_bps_device", "rbps"),
                ("throttleWriteBpsDevice", block.throttleWriteBpsDevice, "blkio.throttle.write_bps_device", "wbps"),
                ("throttleReadIOPSDevice", block.throttleReadIOPSDevice, "blkio.throttle.read_iops_device", "riops"),
                ("throttleWriteIOPSDevice", block.throttleWriteIOPSDevice, "blkio.throttle.write_iops_device", "wiops"),
            ]
            for (field, list, file, key) in lists {
                for entry in list ?? [] {
                    let device = "\(entry.major ?? 0):\(entry.minor ?? 0)", rate = entry.rate ?? 0
                    add("blockIO." + field, "blkio", [(file, "\(device) \(rate)")], [("io.max", "\(device) \(key)=\(rate)")])
                }
            }
        }
        for limit in resources.hugepageLimits ?? [] {
            let size = limit.pageSize ?? "", value = String(limit.limit ?? 0)
            add("hugepageLimits", "hugetlb", [("hugetlb.\(size).limit_in_bytes", value)], [("hugetlb.\(size).max", value)])
        }
        for (file, value) in (resources.unified ?? [:]).sorted(by: { $0.key < $1.key }) {
            add("unified.\(file)", String(file.prefix { $0 != "." }), [], [(file, value)])
        }
        return result
    }

    let hierarchies: [Hierarchy]

    init() {
        let text = (try? HostPaths.read(Array("/proc/self/mountinfo".utf8))) ?? []
        hierarchies = Self.hierarchies(mountInformation: String(decoding: text, as: UTF8.self))
    }

    /// `/x/y` from the root of each hierarchy; `x` below the runtime's own; `slice:prefix:name` of systemd as plain directories.
    static func relativePath(_ cgroupsPath: String?, id: String, systemd: Bool) -> String {
        guard let path = cgroupsPath, !path.isEmpty else { return "/stockade/\(id)" }
        let parts = path.split(separator: ":", omittingEmptySubsequences: false)
        if systemd && parts.count == 3 {
            let slice = parts[0].isEmpty ? "system.slice" : String(parts[0])
            return "/\(slice)/" + (parts[1].isEmpty ? "" : "\(parts[1])-") + "\(parts[2]).scope"
        }
        return path.hasPrefix("/") ? path : "/stockade/" + path
    }

    struct Outcome {
        var problems: [String] = []
        /// Fields of settings that do not hold.
        var failed: Set<String> = []
        mutating func fail(_ setting: Setting, _ why: String) {
            problems.append("\(setting.field): \(why)")
            failed.insert(setting.field)
        }
    }
    static let memoryLimit = "linux.resources.memory.limit"

    /// The directories that `apply` will make, outermost first: put on record before, so that they can be removed whatever happens in between.
    func plan(_ path: String) -> [String] {
        var result: [String] = []
        for hierarchy in hierarchies {
            var place = hierarchy.mountPoint
            for part in RuntimeSpec.normalized(path).split(separator: "/") {
                place += "/\(part)"
                if !HostPaths.exists(Array(place.utf8)) { result.append(place) }
            }
        }
        return result
    }

    /// Makes the groups, applies the settings, and moves `pid` there before it has children.
    func apply(_ path: String, _ settings: [Setting], pid: Int32) -> Outcome {
        var outcome = Outcome()
        var pending = settings
        for hierarchy in hierarchies {
            let mine = pending.filter { setting in
                hierarchy.isUnified ? !setting.unified.isEmpty : hierarchy.controllers.contains(setting.controller) && !setting.legacy.isEmpty
            }
            let group = hierarchy.mountPoint + RuntimeSpec.normalized(path)
            do throws(Errno) {
                try make(group, below: hierarchy, wanted: Set(mine.map(\.controller)))
                if hierarchy.controllers.contains("cpuset") { inheritSets(group, hierarchy.mountPoint) }
            } catch {
                for setting in mine { outcome.fail(setting, "the control group \(group) cannot be made: \(error)") }
                pending.removeAll { mine.contains($0) }
                continue
            }
            var isWhole = true
            for setting in mine {
                do throws(Errno) {
                    for (file, value) in hierarchy.isUnified ? setting.unified : setting.legacy {
                        try HostPaths.write(Array("\(group)/\(file)".utf8), Array(value.utf8))
                    }
                    pending.removeAll { $0 == setting }
                } catch {
                    if hierarchy.isUnified && error == .ENOENT { continue }
                    isWhole = false
                    pending.removeAll { $0 == setting }
                    outcome.fail(setting, "cannot be set in \(group): \(error)")
                }
            }
            do throws(Errno) {
                try HostPaths.write(Array("\(group)/cgroup.procs".utf8), Array("\(pid)".utf8))
            } catch where isWhole && mine.isEmpty {
                // A hierarchy that nothing was asked of.
            } catch {
                outcome.problems.append("the process cannot be put into \(group): \(error)")
                outcome.failed.formUnion(mine.map(\.field))
            }
        }
        for setting in pending { outcome.fail(setting, "the host has no control group for it") }
        return outcome
    }

    /// Applies settings to groups that exist.
    func update(_ groups: [String], _ settings: [Setting]) -> [String] {
        var problems: [String] = []
        for setting in settings {
            var isDone = false
            for hierarchy in hierarchies where !isDone {
                guard hierarchy.isUnified ? !setting.unified.isEmpty : hierarchy.controllers.contains(setting.controller),
                    let group = groups.first(where: { $0.hasPrefix(hierarchy.mountPoint + "/") })
                else { continue }
                do throws(Errno) {
                    for (file, value) in hierarchy.isUnified ? setting.unified : setting.legacy {
                        try HostPaths.write(Array("\(group)/\(file)".utf8), Array(value.utf8))
                    }
                    isDone = true
                } catch where error == .ENOENT {
                } catch {
                    problems.append("\(setting.field): cannot be set in \(group): \(error)")
                    isDone = true
                }
            }
            if !isDone { problems.append("\(setting.field): the container has no control group for it") }
        }
        return problems
    }

    private func make(_ group: String, below hierarchy: Hierarchy, wanted: Set<String>) throws(Errno) {
        var path = hierarchy.mountPoint
        for part in group.dropFirst(path.count).split(separator: "/") {
            if hierarchy.isUnified {
                // A controller that is missing here shows when its file is not there.
                for controller in wanted {
                    let name = controller == "blkio" ? "io" : controller
                    try? HostPaths.write(Array("\(path)/cgroup.subtree_control".utf8), Array("+\(name)".utf8))
                }
            }
            path += "/\(part)"
            do throws(Errno) { try HostPaths.makeDirectory(Array(path.utf8), mode: 0o755) } catch { if error != .EEXIST { throw error } }
        }
    }

    /// Version 1: a new cpuset is empty, and takes no process until it has processors and memory nodes.
    private func inheritSets(_ group: String, _ mountPoint: String) {
        var path = mountPoint
        for part in group.dropFirst(mountPoint.count).split(separator: "/") {
            let parent = path
            path += "/\(part)"
            for file in ["cpuset.cpus", "cpuset.mems"] {
                let own = (try? HostPaths.read(Array("\(path)/\(file)".utf8))) ?? []
                guard own.allSatisfy({ $0 == 0x0a }), let value = try? HostPaths.read(Array("\(parent)/\(file)".utf8)) else { continue }
                try? HostPaths.write(Array("\(path)/\(file)".utf8), value)
            }
        }
    }

    /// Removes groups that `apply` made, and the runtime's own group once it is empty; those that others use stay. Returns what could not be
    /// removed.
    static func remove(_ groups: [String]) -> [String] {
        var left: [String] = []
        let parents = groups.compactMap { group in
            Self.ownGroup(of: group)
        }
        for group in groups.reversed().filter({ !parents.contains($0) }) + parents {
            var result: Errno?
            for attempt in 0..<50 {
                do throws(Errno) {
                    try HostPaths.removeDirectory(Array(group.utf8))
                    result = nil
                } catch { result = error == .ENOENT ? nil : error }
                // A group stays busy for a moment after its last process.
                guard result == .EBUSY, !hasOthers(group) else { break }
                _ = HostPoll.waitReadable([], until: .after(nanoseconds: 1_000_000 << Int64(min(attempt, 4))))
            }
            if result != nil && !hasOthers(group) { left.append(group) }
        }
        return left
    }
    /// The runtime's own group that `group` lies in.
    private static func ownGroup(of group: String) -> String? {
        let parts = group.split(separator: "/")
        guard let index = parts.firstIndex(of: "stockade"), index + 1 < parts.count else { return nil }
        return "/" + parts[...index].joined(separator: "/")
    }
    /// Groups of other containers lie below.
    private static func hasOthers(_ group: String) -> Bool {
        guard let names = try? HostPaths.list(Array(group.utf8)) else { return false }
        return names.contains { HostProcess.kind(ofPath: Array(group.utf8) + [0x2f] + $0) == .directory }
    }
}
