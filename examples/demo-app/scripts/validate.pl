#!/usr/bin/perl
# Asks the application for its version and compares the answer with the version that was to be installed.
use strict;
use warnings;
use IO::Socket::INET;

my ($scripts) = $0 =~ m{^(.*)/[^/]+$};
my $url = 'http://127.0.0.1:8080/version';
open my $file, '<', "$scripts/../VERSION" or die "VERSION of the bundle: $!\n";
chomp(my $expected = <$file>);

my $problem = '';
for (1 .. 20) {
  my ($status, $body, $error) = get();
  if (defined $error) {
    $problem = $error;
  } elsif ($status == 200 && $body eq $expected) {
    print "$url answers $body\n";
    exit 0;
  } else {
    $problem = "answered $status `$body`";
  }
  select undef, undef, undef, 0.1;
}
die "$url: expected version $expected, but: $problem\n";

sub get {
  my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => 8080, Timeout => 2)
    or return (0, '', "connection failed ($!)");
  print $socket "GET /version HTTP/1.0\r\n\r\n";
  my $answer = do { local $/; <$socket> } // '';
  my ($status) = $answer =~ m{^HTTP/1\.[01] (\d+)};
  my ($body) = $answer =~ m{\r\n\r\n(.*)}s;
  return (0, '', 'the answer is not HTTP') unless defined $status && defined $body;
  chomp $body;
  return ($status, $body, undef);
}
