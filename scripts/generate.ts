/** Writes every generated file; with --check writes none and fails where one is out of date. */
import './standard/generate.ts'
import './module/generate.ts'
import './mechanisms.ts'
