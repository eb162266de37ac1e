"""Sealed values open only where they belong, in both suites of algorithms."""

import hashlib
import os

import pytest

from grids.secrets import BY_ALGORITHM, PROVIDERS, SealBroken, Vault, normal_phone


@pytest.fixture(params=sorted(PROVIDERS))
def vault(request):
    return Vault({1: os.urandom(32)}, os.urandom(32), request.param)


def test_a_sealed_value_opens_in_its_own_row(vault):
    sealed = vault.seal("person", 7, "name_sealed", "张三")

    assert vault.open("person", 7, "name_sealed", sealed) == "张三"
    assert "张三".encode() not in sealed


@pytest.mark.parametrize(
    "place",
    [("person", 8, "name_sealed"), ("person", 7, "phone_sealed"), ("enterprise", 7, "name_sealed")],
)
def test_a_sealed_value_moved_elsewhere_does_not_open(vault, place):
    sealed = vault.seal("person", 7, "name_sealed", "张三")

    with pytest.raises(SealBroken):
        vault.open(*place, sealed)


def test_a_changed_bit_is_found(vault):
    sealed = bytearray(vault.seal("person", 7, "name_sealed", "张三"))
    sealed[-1] ^= 1

    with pytest.raises(SealBroken):
        vault.open("person", 7, "name_sealed", bytes(sealed))


def test_an_old_key_still_opens_after_a_new_one_seals(vault):
    old, new, index = os.urandom(32), os.urandom(32), os.urandom(32)
    sealed = Vault({1: old}, index).seal("person", 1, "name_sealed", "李四")
    both = Vault({1: old, 2: new}, index)

    assert both.open("person", 1, "name_sealed", sealed) == "李四"
    assert both.seal("person", 1, "name_sealed", "李四")[1] == 2


def test_equal_values_have_equal_indexes_within_a_column_only(vault):
    first = vault.blind_index("person", "id_number_index", "339901190001010017")

    assert first == vault.blind_index("person", "id_number_index", "339901190001010017")
    assert first != vault.blind_index("person", "phone_index", "339901190001010017")


def test_the_national_algorithms_give_their_published_answers():
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    block = Cipher(algorithms.SM4(key), modes.ECB()).encryptor()

    assert block.update(key).hex() == "681edf34d206965e86b3e94f536e4246"
    assert (
        hashlib.new("sm3", b"abc").hexdigest()
        == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    )
    assert set(BY_ALGORITHM) == {1, 2}


def test_phone_numbers_are_compared_without_their_dress():
    assert normal_phone("+86 138-0013 8000") == normal_phone("13800138000") == "13800138000"
