# needs: perl
if [ "${1-}" = --needs ]; then for n in perl; do command -v "$n" || exit 1; done; exit 0; fi
perl -e 'use POSIX; for (1..5) { my $p = fork // die; if (!$p) { exit $_ } waitpid $p, 0; print $? >> 8, "\n" } $SIG{ALRM} = sub { print "alarm\n" }; alarm 1; select(undef, undef, undef, 3); open(my $f, "-|", "ls /etc | head -3") or die; print <$f>; print strftime("%Y", gmtime(0)), "\n"; my %h = map { $_ => 1 } 1..10000; print scalar(keys %h), "\n"'
