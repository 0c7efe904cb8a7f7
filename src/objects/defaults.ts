/**
 * The value an attribute takes where a template is silent. "S" marks what the standard gives; the
 * others are token-specific (footnote 9) and decided here.
 */
import {
  CK_CERTIFICATE_CATEGORY_UNSPECIFIED,
  CK_OTP_FORMAT_DECIMAL,
  CK_OTP_PARAM_IGNORED,
  CK_SECURITY_DOMAIN_UNSPECIFIED,
  CK_UNAVAILABLE_INFORMATION,
  CKK,
  CKM,
  CKO,
  CKT,
} from '../standard/constants.ts'
import type { ObjectClass } from './classes.ts'
import type { Value } from './object.ts'

const EMPTY: Value = new Uint8Array(0)

/**
 * By name, whatever the class. An attribute that is not here is simply absent until somebody gives it:
 * CKA_WRAP_TEMPLATE and its like (absent: everything goes), CKA_ALLOWED_MECHANISMS, CKA_CHECK_VALUE.
 */
const everywhere: Record<string, Value> = {
  // 4.4 S
  CKA_TOKEN: false,
  CKA_MODIFIABLE: true,
  CKA_LABEL: EMPTY,
  CKA_COPYABLE: true,
  CKA_DESTROYABLE: true,
  // A certificate, a public key or a data object is to be found by whoever has not logged in. Trust: S.
  CKA_PRIVATE: false,
  // 4.5 S
  CKA_APPLICATION: EMPTY,
  CKA_OBJECT_ID: EMPTY,
  // 4.6, 4.7 S
  CKA_TRUSTED: false,
  CKA_CERTIFICATE_CATEGORY: CK_CERTIFICATE_CATEGORY_UNSPECIFIED,
  CKA_START_DATE: EMPTY,
  CKA_END_DATE: EMPTY,
  CKA_PUBLIC_KEY_INFO: EMPTY,
  CKA_ID: EMPTY,
  CKA_ISSUER: EMPTY,
  CKA_SERIAL_NUMBER: EMPTY,
  CKA_URL: EMPTY,
  CKA_HASH_OF_SUBJECT_PUBLIC_KEY: EMPTY,
  CKA_HASH_OF_ISSUER_PUBLIC_KEY: EMPTY,
  CKA_JAVA_MIDP_SECURITY_DOMAIN: CK_SECURITY_DOMAIN_UNSPECIFIED,
  CKA_NAME_HASH_ALGORITHM: CKM.SHA_1,
  CKA_AC_ISSUER: EMPTY,
  CKA_ATTR_TYPES: EMPTY,
  CKA_HASH_OF_CERTIFICATE: EMPTY,
  CKA_TRUST_SERVER_AUTH: CKT.TRUST_UNKNOWN,
  CKA_TRUST_CLIENT_AUTH: CKT.TRUST_UNKNOWN,
  CKA_TRUST_CODE_SIGNING: CKT.TRUST_UNKNOWN,
  CKA_TRUST_EMAIL_PROTECTION: CKT.TRUST_UNKNOWN,
  CKA_TRUST_IPSEC_IKE: CKT.TRUST_UNKNOWN,
  CKA_TRUST_TIME_STAMPING: CKT.TRUST_UNKNOWN,
  CKA_TRUST_OCSP_SIGNING: CKT.TRUST_UNKNOWN,
  // 4.8 to 4.11 S, for keys that were not generated here
  CKA_LOCAL: false,
  CKA_KEY_GEN_MECHANISM: CK_UNAVAILABLE_INFORMATION,
  CKA_ALWAYS_SENSITIVE: false,
  CKA_NEVER_EXTRACTABLE: false,
  // 4.8 to 4.11 S
  CKA_SUBJECT: EMPTY,
  CKA_DERIVE: false,
  CKA_WRAP_WITH_TRUSTED: false,
  CKA_ALWAYS_AUTHENTICATE: false,
  // No validation vouches for this token.
  CKA_OBJECT_VALIDATION_FLAGS: 0,
  // 4.10: the token's choice for private keys. For secret keys the standard has CK_FALSE (below); with
  // CKA_EXTRACTABLE false their value stays hidden all the same.
  CKA_SENSITIVE: true,
  // C_UnwrapKey, C_EncapsulateKey and C_DecapsulateKey have CK_TRUE (creation.ts).
  CKA_EXTRACTABLE: false,
  // A key may do what its type is for (`uses` in classes.ts). It wraps only where that was asked for:
  // a key that both wraps and decrypts gives away every key it wraps.
  CKA_ENCRYPT: false,
  CKA_DECRYPT: false,
  CKA_SIGN: false,
  CKA_SIGN_RECOVER: false,
  CKA_VERIFY: false,
  CKA_VERIFY_RECOVER: false,
  CKA_WRAP: false,
  CKA_UNWRAP: false,
  CKA_ENCAPSULATE: false,
  CKA_DECAPSULATE: false,
  // 6.53 S
  CKA_OTP_FORMAT: CK_OTP_FORMAT_DECIMAL,
  CKA_OTP_COUNTER: EMPTY,
  CKA_OTP_TIME: EMPTY,
  CKA_OTP_USER_IDENTIFIER: EMPTY,
  CKA_OTP_SERVICE_IDENTIFIER: EMPTY,
  CKA_OTP_SERVICE_LOGO: EMPTY,
  CKA_OTP_SERVICE_LOGO_TYPE: EMPTY,
  // The usual length of an HOTP value (RFC 4226); nothing more is asked for at its use.
  CKA_OTP_LENGTH: 6,
  CKA_OTP_USER_FRIENDLY_MODE: false,
  CKA_OTP_CHALLENGE_REQUIREMENT: CK_OTP_PARAM_IGNORED,
  CKA_OTP_TIME_REQUIREMENT: CK_OTP_PARAM_IGNORED,
  CKA_OTP_COUNTER_REQUIREMENT: CK_OTP_PARAM_IGNORED,
  CKA_OTP_PIN_REQUIREMENT: CK_OTP_PARAM_IGNORED,
  // 4.15 S: "may be empty"
  CKA_VALIDATION_COUNTRY: EMPTY,
  CKA_VALIDATION_CERTIFICATE_IDENTIFIER: EMPTY,
  CKA_VALIDATION_CERTIFICATE_URI: EMPTY,
  CKA_VALIDATION_VENDOR_URI: EMPTY,
  CKA_VALIDATION_PROFILE: EMPTY,
}

/** Secrets are for whoever logged in. */
const secret: Record<string, Value> = { CKA_PRIVATE: true }

/** 4.15: "read only, token objects"; profiles likewise. */
const ofTheToken: Record<string, Value> = {
  CKA_TOKEN: true,
  CKA_MODIFIABLE: false,
  CKA_COPYABLE: false,
  CKA_DESTROYABLE: false,
}

/** By class. */
const inClass: Record<number, Record<string, Value>> = {
  [CKO.DATA]: { CKA_VALUE: EMPTY },
  [CKO.PRIVATE_KEY]: secret,
  // 4.11 S: "CK_TRUE if object is sensitive (default CK_FALSE)"
  [CKO.SECRET_KEY]: { ...secret, CKA_SENSITIVE: false },
  [CKO.OTP_KEY]: secret,
  [CKO.PROFILE]: ofTheToken,
  [CKO.VALIDATION]: ofTheToken,
}

/** By class and type of key. */
const ofType: Record<number, Record<number, Record<string, Value>>> = {
  // 6.65.3: an HSS key signs once a state, so there must be one copy of it.
  [CKO.PRIVATE_KEY]: { [CKK.HSS]: { CKA_COPYABLE: false } },
  // 6.53 S. An HOTP key without an interval is one that is not time-based.
  [CKO.OTP_KEY]: { [CKK.SECURID]: { CKA_OTP_TIME_INTERVAL: 60 } },
}

/** The default of an attribute in a class of objects; undefined where it is absent until given. */
export function defaultOf(name: string, { class: objectClass, type, uses }: ObjectClass) {
  if (uses?.includes(name)) return true
  const own = type === undefined ? undefined : ofType[objectClass]?.[type]
  return own?.[name] ?? inClass[objectClass]?.[name] ?? everywhere[name]
}
