"""Words whose full stop need not end a sentence, and words that begin one. Data only, keys in lower case.

English first, with the commonest of German, French, Spanish, Italian and Portuguese: the splitter is told no
language, because one conversation may hold several. A word that is also an ordinary word at the end of a
sentence ("no.", "fig.") is listed only where what follows decides.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CONTINUES = _words(
    """
    mr mrs ms mx dr prof rev gen col sgt capt cpt lt cmdr gov sen pres messrs mme mlle
    e.g i.e vs cf viz approx resp incl excl
    fr hrn sra srta dra sig d.h z.b
    """
)
"""Something always follows: a name, an example."""

BEFORE_NUMBER = _words(
    """
    no nos nr núm num n fig figs eq eqs sec ch chap vol pp p pg art pt ver v op ex tab ref refs
    jan feb mar apr jun jul aug sep sept oct nov dec
    """
)
"""The sentence goes on if a number follows: "No. 5", "Fig. 2", "Sept. 3"."""

BEFORE_LOWER_CASE = _words(
    """
    etc a.m p.m est al usw bzw ggf evtl ca u.a inkl zzgl
    mon tue tues wed thu thurs fri dept max min avg tel ext
    """
)
"""The sentence goes on if a lower-case word or a number follows: "at 5 p.m. on Monday"."""

BEFORE_NAME = _words(
    """
    inc ltd co corp bros jr sr st ave blvd rd ph.d m.d b.a m.a b.sc m.sc
    """
)
"""The sentence goes on unless the next word is one that begins sentences: "Acme Inc. Europe"."""

GERMAN_MONTHS = _words(
    """
    januar februar märz april mai juni juli august september oktober november dezember jahrhundert
    """
)
"""After a number with a full stop these make an ordinal: "am 3. Oktober"."""

STARTERS = _words(
    """
    the a an this that these those there here it its he she we you they i my your his her our their
    in on at by for from with without after before during since until while when where why how who what which
    if as because although though but and or so yet however then thus therefore meanwhile also next first
    finally today yesterday tomorrow now once both each every some many most all no not one
    is are was were do does did can could will would should have has had let please
    yes well oh ok okay maybe perhaps
    der die das ein eine er sie es wir ich und aber le la les un une il elle nous vous je et mais
    el los las una ella nosotros pero y o os as ele ela nós mas lo gli i lei noi ma
    """
)
"""Words that, written with a capital after an initial or an abbreviation, begin a new sentence."""
