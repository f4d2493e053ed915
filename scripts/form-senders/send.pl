# Sends the form of a recording. Arguments: URL, file, name of the file; then fields as name=value.
use strict;
use warnings;
use HTTP::Request::Common qw(POST);
use LWP::UserAgent;

my ($url, $path, $name, @pairs) = @ARGV;
my @fields = map { split /=/, $_, 2 } @pairs;
my $request = POST $url,
    Content_Type => 'form-data',
    Content => [@fields, fileAttachment => [$path, $name, Content_Type => 'image/png']];
LWP::UserAgent->new->request($request);
