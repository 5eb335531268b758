/// The proc file system: proc(5). Written by the integrator.
