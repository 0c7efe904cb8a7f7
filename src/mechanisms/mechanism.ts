/**
 * The shape of a mechanism row. A row holds the number, the section of the standard, the keys it
 * works with, its parameter and the makers of its operations. What is advertised follows from which
 * makers there are (table.ts), so what is advertised and what works cannot differ.
 */
import type { Attributes, CryptokiObject } from '../objects/object.ts'
import type { Attribute, Data, MechanismArgument, Parameter } from '../standard/calls.ts'
import type { structures } from '../standard/structures.ts'
import type { Surrender } from '../surrender/surrender.ts'

/** How many bytes come out, and whether exactly so many (else at most so many). */
export interface OutputLength {
  readonly bytes: number
  readonly exact: boolean
}

/** Turns bytes into bytes: encryption and decryption. */
export interface Cipher {
  /** What `update` (or with `final` everything up to the end) would put out for so many bytes more. */
  outputLength(input: number, final: boolean): OutputLength
  /**
   * What update and final would put out for a message that is all here, where nothing was updated;
   * the short way for short messages. The message is the caller's, and is not kept.
   */
  readonly whole?: (message: Uint8Array) => Uint8Array
  /**
   * `update` into memory as long as the part and apart from it, which somebody else may read and change
   * meanwhile. Absent where output may not be seen yet, or may be of another length.
   */
  readonly updateInto?: (part: Uint8Array, output: Uint8Array) => void
  /** Bytes that are ready now; a mechanism that only works on whole messages gathers and answers none. */
  update(part: Uint8Array): Uint8Array | Promise<Uint8Array>
  final(surrender: Surrender): Uint8Array | Promise<Uint8Array>
}

/** Turns a message into a short value of known length: digests, signatures, MACs. */
export interface Summary {
  /** Bytes of the digest, signature or MAC. */
  readonly length: number
  /**
   * Where the result is a structure as it lies in the caller's memory: the places of the words in it
   * that are counted from its start and become addresses there (CK_OTP_SIGNATURE_INFO).
   */
  readonly pointers?: readonly number[]
  /**
   * What update and final would make of a message that is all here, where nothing was updated; the
   * short way for short messages. The message is the caller's, and is not kept.
   */
  readonly whole?: (message: Uint8Array, surrender: Surrender) => Uint8Array | Promise<Uint8Array>
  update(part: Uint8Array): void | Promise<void>
  final(surrender: Surrender): Uint8Array | Promise<Uint8Array>
  /** A second one in the same state, for C_GetOperationState; absent where its state cannot be kept. */
  copy?(): Summary
}

/** Checks a message against a signature or MAC; throws SIGNATURE_INVALID or SIGNATURE_LEN_RANGE. */
export interface Verification {
  /** As that of a Summary. */
  readonly whole?: (
    message: Uint8Array,
    signature: Uint8Array,
    surrender: Surrender,
  ) => void | Promise<void>
  update(part: Uint8Array): void | Promise<void>
  final(signature: Uint8Array, surrender: Surrender): void | Promise<void>
  /** As that of a Summary. */
  copy?(): Verification
}

/** Turns a short message into a value it can be taken back from: sign and verify recover. */
export interface Recovery {
  /** At most so many bytes come out. */
  readonly length: number
  recover(input: Uint8Array, surrender: Surrender): Uint8Array | Promise<Uint8Array>
}

/** What a message begins with (5.9, 5.11), and a key that is wrapped with additional data (5.18.6). */
export interface MessageBegin {
  /** Its own parameter. What is made of it goes back through `answer`. */
  readonly parameter: MechanismArgument
  readonly associatedData: Uint8Array
}

/** A message that is encrypted or decrypted in parts. */
export interface MessageParts {
  /** Each part comes out as long as it went in: decryption does not wait until the tag is verified. */
  update(part: Uint8Array): Uint8Array
  /**
   * Ends the message with the parameter of the function that ends it, which brings the tag or takes
   * it. Throws AEAD_DECRYPT_FAILED, DATA_LEN_RANGE and ENCRYPTED_DATA_LEN_RANGE.
   */
  end(parameter: MechanismArgument): void
}

/** Encrypts or decrypts messages with one key. Both functions throw MECHANISM_PARAM_INVALID. */
export interface Messages {
  /**
   * A message in a single part; as much comes out as goes in. Decryption withholds it until the tag
   * is verified, and throws AEAD_DECRYPT_FAILED where it is wrong.
   */
  whole(begin: MessageBegin): Cipher
  parts(begin: MessageBegin): MessageParts
}

/**
 * Changes attributes of the key that an operation uses, in the store too before it answers. `next`
 * answers the attributes that change, from the key as it is then; it is asked again where somebody
 * else changed the key meanwhile. Throws CKR_KEY_HANDLE_INVALID where the key is no more.
 */
export type ChangeKey = (next: (key: CryptokiObject) => Attributes) => Promise<void>

/** What a mechanism gets when an operation begins. */
export interface Begin {
  readonly key: CryptokiObject
  readonly mechanism: MechanismArgument
  /** Absent where the key is used at once, as in C_WrapKey. */
  readonly change?: ChangeKey
}

/** What generation, unwrapping and derivation get: the template's attributes, checked and typed. */
export interface Make {
  readonly mechanism: MechanismArgument
  readonly surrender: Surrender
  /** The attributes of the template of the key to be made; none where derivation makes no key of it. */
  readonly template: Attributes
  /** Those of the further keys that a derivation makes (Mechanism.furtherKeys), in order. */
  readonly further?: readonly Attributes[]
}

/** What derivation gets beside its base key. */
export interface Derive extends Make {
  /**
   * Another key that the derivation uses, a secret one where no types are told, by the handle that the parameter names: of one of
   * these CKK_ types, or of any. It has CKA_DERIVE and allows the mechanism as the base key does. Throws
   * KEY_HANDLE_INVALID, KEY_TYPE_INCONSISTENT, KEY_FUNCTION_NOT_PERMITTED and MECHANISM_INVALID.
   */
  key(handle: number, keyTypes?: readonly number[]): CryptokiObject | Promise<CryptokiObject>
}

export interface MakePair {
  readonly mechanism: MechanismArgument
  readonly surrender: Surrender
  readonly publicTemplate: Attributes
  readonly privateTemplate: Attributes
}

/**
 * The attributes a mechanism contributes to a key it makes: its values, without class and type, and
 * without policy except where the mechanism has rules of its own about it (6.43).
 */
export type Made = Attributes

/** What a key encapsulation mechanism makes for the other side, and the values of the new key. */
export interface Encapsulated {
  readonly ciphertext: Uint8Array
  readonly made: Made
}

/** An encapsulation with nothing wrong, before it is done. */
export interface Encapsulation {
  /** Bytes of the ciphertext. */
  readonly length: number
  run(): Encapsulated | Promise<Encapsulated>
}

/** Keys that a derivation makes besides the key of C_DeriveKey's template, or instead of it. */
export interface FurtherKeys {
  /** Whether C_DeriveKey's template is for a key, too; where not, it answers CK_INVALID_HANDLE. */
  readonly besides: boolean
  /** Their templates, each of them completed and checked like that of any derived key. */
  readonly templates: readonly (readonly Attribute[])[]
  /**
   * The values that give their handles back to the application, in the order of the templates:
   * CK_INVALID_HANDLE for the one whose template made the function fail, undefined for a handle that
   * stays as it is.
   */
  handles(handles: readonly (number | undefined)[]): Parameter
}

/** A key type: how its keys are completed, and how they look outside. One row a CKK_ number. */
export interface KeyType {
  readonly type: number
  /** The name without CKK_. */
  readonly name: string
  /**
   * Checks the values of a key that is being made from them, and adds what follows from them:
   * CKA_MODULUS_BITS, CKA_VALUE_LEN, CKA_CHECK_VALUE, CKA_PUBLIC_KEY_INFO. Answers only the additions
   * and corrections. Throws ATTRIBUTE_VALUE_INVALID, or TEMPLATE_INCONSISTENT where values contradict.
   */
  complete?(objectClass: number, attributes: Attributes): Attributes
  /** Makes a key of bytes that a derivation or an encapsulation made, in place: the parity of DES keys. */
  correct?(value: Uint8Array): void
  /** The PKCS #8 PrivateKeyInfo (RFC 5208) of a private key; absent where keys are plain secrets. */
  toPkcs8?(key: CryptokiObject): Uint8Array
  /** The values of a private key from its PrivateKeyInfo; throws WRAPPED_KEY_INVALID. */
  fromPkcs8?(info: Uint8Array): Attributes
  /** The values of the public key that belongs to a private one, for CKM_PUB_KEY_FROM_PRIV_KEY. */
  publicValues?(key: CryptokiObject): Attributes
}

export interface Mechanism {
  /** CKM_ number. */
  readonly type: number
  /** The name without CKM_. */
  readonly name: string
  /** Section of PKCS #11 3.2; with `hist` before it, of its historical mechanisms. */
  readonly section: string
  /** CKK_ numbers of keys it works with, or makes; empty for digests. */
  readonly keyTypes: readonly number[]
  /** It works with secret keys of every type; `keyTypes` is empty then. */
  readonly anySecretKey?: true
  /** Smallest and largest key, in the unit the section gives (bits for RSA and EC, bytes for AES); 0 where it has no sense. */
  readonly keySize: readonly [number, number]
  /**
   * `approved`: FIPS 140-3 approves of it. `legacy`: broken or obsolete, so offered only where a
   * policy says so. Absent: neither.
   */
  readonly standing?: 'approved' | 'legacy'
  /** Further CKF_ flags to advertise, such as CKF_EC_F_P. */
  readonly flags?: number
  /**
   * CKA_ attributes that a template for generation may leave out although the standard demands them
   * there, since the mechanism supplies them: CKA_VALUE_LEN of CKM_SSL3_PRE_MASTER_KEY_GEN.
   */
  readonly supplies?: readonly number[]
  /**
   * CKA_ attributes that a template for generation may name although the tables forbid it, since the
   * mechanism starts from them: CKA_PRIME and CKA_SUBPRIME of CKM_DSA_FIPS_G_GEN.
   */
  readonly takes?: readonly number[]
  /**
   * CKA_ attributes that what is generated lacks although the tables demand them: CKA_BASE after
   * CKM_DSA_PROBABILISTIC_PARAMETER_GEN.
   */
  readonly leavesOut?: readonly number[]
  /** The CKO_ number of what `generateKey` and `derive` make; absent: CKO_SECRET_KEY. */
  readonly makes?: number
  /**
   * CKA_ attributes that the template of `derive` tells the mechanism and that what it makes does not
   * have, all of them CK_ULONG: CKA_VALUE_LEN of CKM_HKDF_DATA.
   */
  readonly told?: readonly number[]
  /** `derive` takes a data object for a base key, too, as CKM_HKDF_DERIVE does. */
  readonly fromData?: true
  /** `derive` does not ask for CKA_DERIVE: it tells nothing of the base key that is secret (6.43.8). */
  readonly fromAnyUse?: true
  /** The C structure of the parameter; 'bytes' for plain bytes such as an IV; absent where there is none. */
  readonly parameter?: keyof typeof structures | 'bytes'
  /** The parameter in C_WrapKey and C_UnwrapKey, where it is another. */
  readonly wrapParameter?: keyof typeof structures | 'bytes'
  /**
   * The parameter in the message-based functions, C_WrapKeyAuthenticated and
   * C_UnwrapKeyAuthenticated, where it is another.
   */
  readonly messageParameter?: keyof typeof structures | 'bytes'
  /**
   * Two messages under the same parameter or key would give the key away, or there is no message at
   * all, so that it signs and verifies none with the message-based functions.
   */
  readonly singleMessage?: true
  /** Where the parameter may be left out, as the IV of CKM_AES_KEY_WRAP. */
  readonly parameterOptional?: true
  /**
   * Where wrapping puts zeros that unwrapping cannot tell from the key, so that CKA_VALUE_LEN cuts
   * them off: behind it (AES-ECB and CBC) or before it (raw RSA).
   */
  readonly padsWrappedKeys?: 'behind' | 'before'

  // A maker checks key type, key attributes it depends on, and parameter, and throws KEY_SIZE_RANGE,
  // KEY_TYPE_INCONSISTENT, MECHANISM_PARAM_INVALID and the like. What the standard calls a
  // single-part mechanism (CKM_RSA_PKCS, CKM_ECDSA) gathers its parts up to its own small limit.
  encrypt?(begin: Begin): Cipher | Promise<Cipher>
  decrypt?(begin: Begin): Cipher | Promise<Cipher>
  digest?(begin: { readonly mechanism: MechanismArgument }): Summary
  sign?(begin: Begin): Summary | Promise<Summary>
  verify?(begin: Begin): Verification | Promise<Verification>
  signRecover?(begin: Begin): Recovery | Promise<Recovery>
  verifyRecover?(begin: Begin): Recovery | Promise<Recovery>

  /** The mechanism's own parameter may be absent; each message brings one. The key alone counts. */
  messageEncrypt?(begin: Begin): Messages
  messageDecrypt?(begin: Begin): Messages

  generateKey?(make: Make): Made | Promise<Made>
  generateKeyPair?(make: MakePair): Promise<{ publicKey: Made; privateKey: Made }>
  /** Wraps the bytes of a key: the value of a secret key, the PKCS #8 PrivateKeyInfo of a private one. */
  wrap?(begin: Begin, plain: Uint8Array, surrender: Surrender): Uint8Array | Promise<Uint8Array>
  unwrap?(begin: Begin, wrapped: Uint8Array, surrender: Surrender): Uint8Array | Promise<Uint8Array>
  /** C_WrapKeyAuthenticated: what is wrapped comes out as long as it is, and the tag goes back. */
  wrapAuthenticated?(
    key: CryptokiObject,
    begin: MessageBegin,
    plain: Uint8Array,
    surrender: Surrender,
  ): Uint8Array | Promise<Uint8Array>
  unwrapAuthenticated?(
    key: CryptokiObject,
    begin: MessageBegin,
    wrapped: Uint8Array,
    surrender: Surrender,
  ): Uint8Array | Promise<Uint8Array>
  /**
   * Derives a key. A row with `furtherKeys` answers a list: the values of the key of the template,
   * where there is one, and then those of the further keys. They are kept whole or not at all.
   * Values other than handles go back through `make.mechanism.answer`.
   */
  derive?(base: CryptokiObject, make: Derive): Derived | Promise<Derived>
  /**
   * The CKK_ type of a derived key whose template names none; absent: CKK_GENERIC_SECRET for secret
   * keys. Where there is no answer the template must name it.
   */
  impliedType?(base: CryptokiObject, mechanism: MechanismArgument): number | undefined
  /** Which other keys derivation makes; absent: none. `template` is that of C_DeriveKey. */
  furtherKeys?(mechanism: MechanismArgument, template: readonly Attribute[]): FurtherKeys
  encapsulate?(publicKey: CryptokiObject, make: Make): Encapsulation
  /** Throws WRAPPED_KEY_LEN_RANGE and WRAPPED_KEY_INVALID for what is wrong with the ciphertext. */
  decapsulate?(privateKey: CryptokiObject, ciphertext: Uint8Array, make: Make): Made | Promise<Made>
}

/** What derivation answers. */
export type Derived = Made | readonly Made[]

export type { Attributes, CryptokiObject, Data, MechanismArgument, Parameter, Surrender }
