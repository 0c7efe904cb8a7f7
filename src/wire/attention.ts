/**
 * Who looks at the channels. While clients are awake the service looks at their memory again and again,
 * for a moment between two turns of the event loop, so that timers, sockets and finished work never
 * wait for long. Channels from which nothing came for a while fall asleep, and with the last of them
 * this does too.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { availableParallelism } from 'node:os'
import { native } from '../engine/binding.ts'

/** What is looked at. */
export interface Attended {
  /** Something came. */
  readonly isReady: boolean
  /** Until when (performance.now()) the next frame is expected. */
  readonly awakeUntil: number
  /** Calls are under way, whose answers may need the event loop. */
  readonly isBusy: boolean
  /** They wait for work elsewhere alone, not for the client. */
  readonly worksElsewhere: boolean
  /** Whether its client last looked on this processor, and would have to wait for it. */
  isBeside(processor: number): boolean
  /** Tells its client on which processor the service looks. */
  looksOn(processor: number): void
  /** Takes what came; whether there was anything. */
  work(): boolean
  /** From now on its client rings; false where something came meanwhile. */
  sleep(): boolean
}

/** Milliseconds between two turns of the event loop at most, while nothing comes. */
const LOOK = 0.02

/** Milliseconds of work between two turns of the event loop. */
const WORK = 0.5

/** Answers that wait for promises alone get this many turns before the event loop has one. */
const MICROTASKS = 8

/** On one processor whoever looks keeps the one from working that is waited for. */
const LOOKS = availableParallelism() > 1

class Attention {
  readonly #awake = new Set<Attended>()
  #planned = false
  #microtasks = 0
  /** The one this looked on last. */
  #processor = 0

  /** Looks at a channel from now on. */
  attend(channel: Attended): void {
    this.#awake.add(channel)
    this.#plan()
  }

  leave(channel: Attended): void {
    this.#awake.delete(channel)
  }

  #plan(): void {
    if (this.#planned) return
    this.#planned = true
    this.#afterTheLoop()
  }

  /** Bound to no context: whoever planned it may be inside a callback, and those it works for are not. */
  readonly #turn = AsyncLocalStorage.bind((): void => {
    this.#planned = true
    const now = this.#look(performance.now())
    const waitsForPromises = this.#isBusy() && this.#microtasks++ < MICROTASKS
    if (!waitsForPromises) this.#letSleep(now)
    this.#planned = this.#awake.size > 0
    if (waitsForPromises) queueMicrotask(this.#turn)
    else if (this.#planned) this.#afterTheLoop()
  })

  #letSleep(now: number): void {
    for (const channel of this.#awake) {
      const isOver = now >= channel.awakeUntil || channel.worksElsewhere || !LOOKS
      if (isOver && channel.sleep()) this.#awake.delete(channel)
    }
  }

  #afterTheLoop(): void {
    this.#microtasks = 0
    setImmediate(this.#turn)
  }

  /** Works and looks until the event loop is to have its turn; answers when that is. */
  #look(begun: number): number {
    let quiet = begun
    for (;;) {
      const worked = this.#work()
      const now = performance.now()
      if (worked) quiet = now
      if (!this.#mayGoOn(now) || now - quiet >= LOOK || now - begun >= WORK) return now
      if (!worked) this.#waitAMoment()
    }
  }

  /** A client on this very processor gets it: the system moves one of the two, since both want to run. */
  #waitAMoment(): void {
    let isBeside = false
    for (const channel of this.#awake) if (channel.isBeside(this.#processor)) isBeside = true
    this.#processor = native().relax(isBeside)
    for (const channel of this.#awake) channel.looksOn(this.#processor)
  }

  #work(): boolean {
    let worked = false
    for (const channel of this.#awake) if (channel.work()) worked = true
    return worked
  }

  /** Whether somebody is expected, and nobody waits for an answer that this very loop would hold up. */
  #mayGoOn(now: number): boolean {
    let expected = false
    for (const { isBusy, awakeUntil } of this.#awake) {
      if (isBusy) return false
      if (now < awakeUntil) expected = true
    }
    return expected && LOOKS
  }

  #isBusy(): boolean {
    for (const { isBusy } of this.#awake) if (isBusy) return true
    return false
  }
}

export const attention = new Attention()
