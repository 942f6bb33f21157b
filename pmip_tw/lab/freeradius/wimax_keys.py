"""Mobile IPv4 keys from the EMSK of an EAP authentication, as the WiMAX Forum derives them.

In Perl, which FreeRADIUS 3.2 runs within itself: its rlm_wimax derives other keys than the specification, and a
program of its own would cost every authentication a tenth of a second, in which steps FreeRADIUS waits for programs.
"""

from typing import Final

PERL: Final = r"""
use strict;
use warnings;
use Digest::SHA qw(hmac_sha1 hmac_sha256);
use Socket qw(inet_aton);

our (%RAD_REPLY);

# Of an EMSK, a NAI and an LMA: the key of Proxy Mobile IPv4 with its SPI, and the FA-RK with its own.
sub derived {
    my ($emsk, $nai, $lma) = @_;
    my $usage = "miprk\@wimaxforum.org\0\x02\0";
    my $first = hmac_sha256($usage . "\x01", $emsk);
    my $root = $first . hmac_sha256($first . $usage . "\x02", $emsk);
    my $spi = unpack("N", hmac_sha256("SPI CMIP PMIP", $root));
    $spi += 256 if $spi < 256;
    my $key = hmac_sha1("PMIP4 MN HA" . inet_aton($lma) . $nai, $root);
    return ($key, ($spi + 1) & 0xffffffff, hmac_sha1("FA-RK", $root), $spi);
}

# What FreeRADIUS calls; 2 is RLM_MODULE_OK.
sub post_auth {
    my $emsk = pack("H*", substr($RAD_REPLY{"EAP-EMSK"}, 2));
    my ($key, $spi, $fa_rk, $fa_rk_spi) =
        derived($emsk, $RAD_REPLY{"User-Name"}, $RAD_REPLY{"WiMAX-hHA-IP-MIP4"});
    $RAD_REPLY{"WiMAX-MN-hHA-MIP4-Key"} = "0x" . unpack("H*", $key);
    $RAD_REPLY{"WiMAX-MN-hHA-MIP4-SPI"} = $spi;
    $RAD_REPLY{"WiMAX-FA-RK-Key"} = "0x" . unpack("H*", $fa_rk);
    $RAD_REPLY{"WiMAX-FA-RK-SPI"} = $fa_rk_spi;
    return 2;
}

1;
"""
