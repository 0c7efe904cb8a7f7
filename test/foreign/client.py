"""PyKCS11 on a token. usage: client.py MODULE LABEL PIN SO-PIN; one line of JSON for each check."""

import hashlib
import hmac
import json
import sys

import PyKCS11
from PyKCS11 import LowLevel as low

MESSAGE = b"signed by Python"
P256 = bytes.fromhex("06082a8648ce3d030107")
YES, NO = low.CK_TRUE, low.CK_FALSE


def check(work, *given):
    """Runs one check; an exception ends the program."""
    result = work(*given)
    print(json.dumps({work.__name__: True}), flush=True)
    return result


def refused(code, work, *given):
    """The work must be refused with this return value."""
    try:
        work(*given)
    except PyKCS11.PyKCS11Error as error:
        assert error.value == code, error
        return
    raise AssertionError(f"{work} was not refused")


def slot_of(library, label):
    """The slot of the token with this label."""
    slots = library.getSlotList(tokenPresent=True)
    return next(s for s in slots if library.getTokenInfo(s).label.strip("\0 ") == label)


def learns_numbers(library, slot):
    """getMechanismList stumbles over numbers that PyKCS11 does not know; they get names first."""
    numbers = low.ckintlist()
    assert library.lib.C_GetMechanismList(slot, numbers) == low.CKR_OK
    for number in set(numbers) - set(PyKCS11.CKM):
        PyKCS11.CKM[number] = f"CKM_0x{number:X}"
        PyKCS11.CKM[PyKCS11.CKM[number]] = number


def describes_itself(library, slot):
    assert library.getInfo().cryptokiVersion[0] >= 2
    assert library.getTokenInfo(slot).flags & low.CKF_TOKEN_INITIALIZED
    assert library.getSlotInfo(slot).flags & low.CKF_TOKEN_PRESENT
    learns_numbers(library, slot)
    names = library.getMechanismList(slot)
    assert {"CKM_RSA_PKCS", "CKM_ECDSA", "CKM_AES_GCM"} <= set(names)
    for name in names:
        library.getMechanismInfo(slot, name)


def counts_sessions(library, slot):
    sessions = [library.openSession(slot) for _ in range(3)]
    assert library.getTokenInfo(slot).ulSessionCount >= 3
    for session in sessions:
        session.closeSession()
    refused(low.CKR_SESSION_HANDLE_INVALID, sessions[0].getSessionInfo)


def logs_in(session, pin):
    refused(low.CKR_PIN_INCORRECT, session.login, "wrong" + pin)
    session.login(pin)
    refused(low.CKR_USER_ALREADY_LOGGED_IN, session.login, pin)
    assert session.getSessionInfo().state == low.CKS_RW_USER_FUNCTIONS


def changes_pins(session, pin, so_pin):
    session.setPin(pin, pin + "0")
    session.logout()
    session.login(so_pin, low.CKU_SO)
    session.initPin(pin)
    session.logout()
    refused(low.CKR_PIN_INCORRECT, session.login, pin + "0")
    session.login(pin)


def key_pair(name, token, public, private):
    common = [(low.CKA_LABEL, name), (low.CKA_ID, name.encode()), (low.CKA_TOKEN, token)]
    return common + public, common + private


def rsa_pair(session):
    sizes = [(low.CKA_MODULUS_BITS, 2048), (low.CKA_PUBLIC_EXPONENT, (1, 0, 1))]
    public = [(low.CKA_ENCRYPT, YES), (low.CKA_VERIFY, YES), (low.CKA_WRAP, YES)]
    private = [(low.CKA_DECRYPT, YES), (low.CKA_SIGN, YES), (low.CKA_UNWRAP, YES)]
    return session.generateKeyPair(*key_pair("rsa", YES, sizes + public, private))


def ec_pair(session, derive=NO):
    curve = [(low.CKA_EC_PARAMS, P256), (low.CKA_VERIFY, YES)]
    private = [(low.CKA_SIGN, YES), (low.CKA_DERIVE, derive)]
    mechanism = PyKCS11.MechanismECGENERATEKEYPAIR
    return session.generateKeyPair(*key_pair("ec", NO, curve, private), mecha=mechanism)


def aes_key(session, *more):
    template = [
        (low.CKA_CLASS, low.CKO_SECRET_KEY),
        (low.CKA_KEY_TYPE, low.CKK_AES),
        (low.CKA_VALUE_LEN, 32),
        (low.CKA_ENCRYPT, YES),
        (low.CKA_DECRYPT, YES),
    ]
    return session.generateKey(template + list(more), PyKCS11.MechanismAESGENERATEKEY)


def finds(session, public, private):
    by_id = session.findObjects([(low.CKA_ID, b"rsa")])
    assert {found.value() for found in by_id} == {public.value(), private.value()}
    keys = session.findObjects([(low.CKA_CLASS, low.CKO_PRIVATE_KEY), (low.CKA_LABEL, "rsa")])
    assert [key.value() for key in keys] == [private.value()]
    assert session.findObjects([(low.CKA_LABEL, "none such")]) == []


def reads_attributes(session, public, private):
    names = [low.CKA_LABEL, low.CKA_MODULUS_BITS, low.CKA_PUBLIC_EXPONENT, low.CKA_VERIFY]
    assert session.getAttributeValue(public, names) == ["rsa", 2048, (1, 0, 1), True]
    assert session.getAttributeValue(private, [low.CKA_SENSITIVE]) == [True]
    # One attribute a call, so that those which a key has not, or hides, come as None.
    everything = [number for number in PyKCS11.CKA if isinstance(number, int)]
    values = session.getAttributeValue_fragmented(private, everything)
    hidden = values[everything.index(low.CKA_PRIVATE_EXPONENT)]
    assert hidden is None and values.count(None) < len(values)


def changes_attributes(session, public):
    session.setAttributeValue(public, [(low.CKA_LABEL, "renamed")])
    assert session.getAttributeValue(public, [low.CKA_LABEL]) == ["renamed"]
    refused(
        low.CKR_ATTRIBUTE_READ_ONLY, session.setAttributeValue, public, [(low.CKA_LOCAL, NO)]
    )


def keeps_data(session):
    template = [
        (low.CKA_CLASS, low.CKO_DATA),
        (low.CKA_TOKEN, YES),
        (low.CKA_LABEL, "a note"),
        (low.CKA_VALUE, MESSAGE),
    ]
    made = session.createObject(template)
    assert bytes(session.getAttributeValue(made, [low.CKA_VALUE])[0]) == MESSAGE
    session.destroyObject(made)
    assert session.findObjects([(low.CKA_LABEL, "a note")]) == []


def signs(session, mechanism, public, private):
    signature = session.sign(private, MESSAGE, mechanism)
    assert session.verify(public, MESSAGE, signature, mechanism)
    assert not session.verify(public, MESSAGE + b"!", signature, mechanism)


def signs_with_rsa(session, public, private):
    signs(session, PyKCS11.Mechanism(low.CKM_RSA_PKCS), public, private)
    signs(session, PyKCS11.Mechanism(low.CKM_SHA256_RSA_PKCS), public, private)


def signs_with_pss(session, public, private):
    pss = (low.CKM_SHA256, low.CKG_MGF1_SHA256, 32)
    signs(session, PyKCS11.RSA_PSS_Mechanism(low.CKM_SHA256_RSA_PKCS_PSS, *pss), public, private)


def signs_with_ecdsa(session):
    public, private = ec_pair(session)
    signs(session, PyKCS11.Mechanism(low.CKM_ECDSA), public, private)
    signs(session, PyKCS11.Mechanism(low.CKM_ECDSA_SHA256), public, private)


def encrypts(session, mechanism, public, private):
    encrypted = bytes(session.encrypt(public, MESSAGE, mechanism))
    assert MESSAGE not in encrypted
    assert bytes(session.decrypt(private, encrypted, mechanism)) == MESSAGE


def encrypts_with_rsa(session, public, private):
    encrypts(session, PyKCS11.Mechanism(low.CKM_RSA_PKCS), public, private)
    oaep = PyKCS11.RSAOAEPMechanism(low.CKM_SHA256, low.CKG_MGF1_SHA256, b"a label")
    encrypts(session, oaep, public, private)


def encrypts_with_aes(session):
    key = aes_key(session)
    encrypts(session, PyKCS11.Mechanism(low.CKM_AES_CBC_PAD, bytes(16)), key, key)
    encrypts(session, PyKCS11.AES_GCM_Mechanism(bytes(12), b"header", 128), key, key)


def wraps(session, mechanism, wrapping, unwrapping):
    key = aes_key(session, (low.CKA_EXTRACTABLE, YES))
    wrapped = session.wrapKey(wrapping, key, mechanism)
    template = [(low.CKA_CLASS, low.CKO_SECRET_KEY), (low.CKA_KEY_TYPE, low.CKK_AES)]
    again = session.unwrapKey(unwrapping, wrapped, template, mechanism)
    cbc = PyKCS11.Mechanism(low.CKM_AES_CBC_PAD, bytes(16))
    assert bytes(session.decrypt(again, session.encrypt(key, MESSAGE, cbc), cbc)) == MESSAGE


def wraps_keys(session, public, private):
    wraps(session, PyKCS11.Mechanism(low.CKM_RSA_PKCS), public, private)
    wrapping = aes_key(session, (low.CKA_WRAP, YES), (low.CKA_UNWRAP, YES))
    wraps(session, PyKCS11.Mechanism(low.CKM_AES_KEY_WRAP), wrapping, wrapping)


def derives(session):
    def point(key):
        return bytes(session.getAttributeValue(key, [low.CKA_EC_POINT])[0])[2:]

    def secret(own, peer):
        mechanism = PyKCS11.ECDH1_DERIVE_Mechanism(point(peer))
        template = [
            (low.CKA_CLASS, low.CKO_SECRET_KEY),
            (low.CKA_KEY_TYPE, low.CKK_GENERIC_SECRET),
            (low.CKA_VALUE_LEN, 32),
            (low.CKA_SENSITIVE, NO),
            (low.CKA_EXTRACTABLE, YES),
        ]
        derived = session.deriveKey(own, template, mechanism)
        return bytes(session.getAttributeValue(derived, [low.CKA_VALUE])[0])

    (public, private), (other_public, other_private) = ec_pair(session, YES), ec_pair(session, YES)
    assert secret(private, other_public) == secret(other_private, public)


def digests(session):
    mechanism = PyKCS11.Mechanism(low.CKM_SHA256)
    assert bytes(session.digest(MESSAGE, mechanism)) == hashlib.sha256(MESSAGE).digest()
    parts = session.digestSession(mechanism)
    parts.update(MESSAGE[:5]).update(MESSAGE[5:])
    assert bytes(parts.final()) == hashlib.sha256(MESSAGE).digest()


def makes_macs(session):
    key = session.createObject([
        (low.CKA_CLASS, low.CKO_SECRET_KEY),
        (low.CKA_KEY_TYPE, low.CKK_GENERIC_SECRET),
        (low.CKA_VALUE, bytes(32)),
        (low.CKA_SIGN, YES),
        (low.CKA_VERIFY, YES),
    ])
    mac = bytes(session.sign(key, MESSAGE, PyKCS11.Mechanism(low.CKM_SHA256_HMAC)))
    assert mac == hmac.new(bytes(32), MESSAGE, hashlib.sha256).digest()


def makes_random_numbers(session):
    session.seedRandom(b"seed")
    assert bytes(session.generateRandom(32)) != bytes(session.generateRandom(32))


def destroys(session, *objects):
    for made in objects:
        session.destroyObject(made)
    refused(low.CKR_OBJECT_HANDLE_INVALID, session.destroyObject, objects[0])


def main(module, label, pin, so_pin):
    library = PyKCS11.PyKCS11Lib()
    library.load(module)
    slot = slot_of(library, label)
    check(describes_itself, library, slot)
    check(counts_sessions, library, slot)
    session = library.openSession(slot, low.CKF_SERIAL_SESSION | low.CKF_RW_SESSION)
    check(logs_in, session, pin)
    check(changes_pins, session, pin, so_pin)
    rsa = check(rsa_pair, session)
    for work in (finds, reads_attributes, signs_with_rsa, signs_with_pss, encrypts_with_rsa):
        check(work, session, *rsa)
    check(wraps_keys, session, *rsa)
    check(changes_attributes, session, rsa[0])
    for work in (signs_with_ecdsa, encrypts_with_aes, derives, digests, makes_macs):
        check(work, session)
    check(keeps_data, session)
    check(makes_random_numbers, session)
    check(destroys, session, *rsa)
    session.logout()
    session.closeSession()


main(*sys.argv[1:])
