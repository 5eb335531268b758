import VirtualFileSystem

extension SandboxKernel {
    /// pivot_root(2): whoever has `old` as root or working directory gets `new` (chroot_fs_refs).
    public func moveRoots(from old: Path, to new: Path) {
        let contexts = processes.withTree { tree in tree.tasks.values.compactMap(\.fileSystem) }
        for context in contexts {
            context.state.withLock { s in
                if s.root == old { s.root = new }
                if s.workingDirectory == old { s.workingDirectory = new }
            }
        }
    }
}
