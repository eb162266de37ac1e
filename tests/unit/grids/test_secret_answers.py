"""Known answers: both suites give what the standards print."""

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from grids.secrets.providers import PROVIDERS
from grids.secrets.signing import SCHEMES, sm2_is_good, sm2_public, sm2_sign

INTL, GM = PROVIDERS["intl"], PROVIDERS["gm"]
H = bytes.fromhex

#: GB/T 32918.5-2017, annex A.2: private key, public key, random number, message, signature.
SM2_PRIVATE = H("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
SM2_PUBLIC = H(
    "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
SM2_NONCE = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21
SM2_SIGNATURE = H(
    "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
    "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
)


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        # GB/T 32905-2016, annex A.
        (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
    ],
)
def test_sm3_gives_the_digest_of_the_standard(text, digest):
    assert hashlib.new("sm3", text).hexdigest() == digest


def test_sm4_gives_the_block_of_the_standard():
    # GB/T 32907-2016, annex A.1.
    key = H("0123456789abcdeffedcba9876543210")

    block = Cipher(algorithms.SM4(key), modes.ECB()).encryptor().update(key)

    assert block.hex() == "681edf34d206965e86b3e94f536e4246"


def test_sm4_gcm_gives_the_answer_of_rfc_8998():
    # RFC 8998, A.1.
    key = H("0123456789ABCDEFFEDCBA9876543210")
    nonce = H("00001234567800000000ABCD")
    extra = H("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
    plain = H("AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBBCCCCCCCCCCCCCCCCDDDDDDDDDDDDDDDD"
              "EEEEEEEEEEEEEEEEFFFFFFFFFFFFFFFFEEEEEEEEEEEEEEEEAAAAAAAAAAAAAAAA")  # fmt: skip
    sealed = H("17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735"
               "D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D"
               "83DE3541E4C2B58177E065A9BF7B62EC")  # fmt: skip

    assert GM.encrypt(key, nonce, plain, extra) == sealed
    assert GM.decrypt(key, nonce, sealed, extra) == plain


def test_aes_256_gcm_gives_the_answer_of_the_specification():
    # McGrew and Viega, "The Galois/Counter Mode of Operation", test case 16.
    key = H("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308")
    nonce = H("cafebabefacedbaddecaf888")
    extra = H("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    plain = H("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
              "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39")  # fmt: skip
    sealed = H("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
               "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
               "76fc6ece0f4e1768cddf8853bb2d551b")  # fmt: skip

    assert INTL.encrypt(key, nonce, plain, extra) == sealed
    assert INTL.decrypt(key, nonce, sealed, extra) == plain


def test_hmac_sha_256_gives_the_answer_of_rfc_4231():
    digest = INTL.digest(b"Jefe", b"what do ya want for nothing?")

    assert digest.hex() == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


@pytest.mark.parametrize("key", [b"Jefe", b"k" * 32, b"longer than a block " * 5])
def test_hmac_sm3_equals_a_second_implementation(key):
    assert (
        GM.digest(key, b"text")
        == hmac.new(key, b"text", lambda d=b"": hashlib.new("sm3", d)).digest()
    )


def test_ed25519_gives_the_signature_of_rfc_8032():
    # RFC 8032, 7.1, test 3.
    private = H("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")
    scheme = SCHEMES["intl"]

    signature = scheme.sign(private, H("af82"))

    assert signature.hex() == (
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
    )
    assert scheme.is_good(scheme.public(private), H("af82"), signature)
    assert not scheme.is_good(scheme.public(private), H("af83"), signature)
    assert len(Ed25519PrivateKey.from_private_bytes(private).private_bytes_raw()) == 32


def test_sm2_gives_the_signature_of_the_standard():
    assert sm2_public(SM2_PRIVATE) == SM2_PUBLIC
    assert sm2_sign(SM2_PRIVATE, b"message digest", SM2_NONCE) == SM2_SIGNATURE
    assert sm2_is_good(SM2_PUBLIC, b"message digest", SM2_SIGNATURE)


@pytest.mark.parametrize(
    ("data", "signature"),
    [
        (b"message digesT", SM2_SIGNATURE),
        (b"message digest", SM2_SIGNATURE[:-1] + b"\0"),
        (b"message digest", bytes(64)),
        (b"message digest", SM2_SIGNATURE[:63]),
    ],
)
def test_sm2_refuses_what_was_changed(data, signature):
    assert not sm2_is_good(SM2_PUBLIC, data, signature)
