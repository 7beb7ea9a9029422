"""Passwords (and their stems) of at least eight characters that attackers try first, in English and German."""

from __future__ import annotations

_WORDS = """
password passwort password1 passw0rd passwords passwort1 kennwort mypassword meinpasswort geheim geheim12 geheimnis
changeme changeit changemenow letmein letmein1 welcome welcome1 willkommen willkommen1 administrator admin admin123
adminadmin rootroot superuser sysadmin default12 defaultpassword testtest testtest1 testuser test1234 tester123
guestguest gastgast demodemo demo1234 useruser user1234 12345678 123456789 1234567890 87654321 11111111 00000000
12341234 12344321 11223344 1q2w3e4r 1q2w3e4r5t q1w2e3r4 qwertyui qwertyuiop qwerty123 qwertz123 asdfasdf asdfghjk
abc12345 abcd1234 abcdefgh a1b2c3d4 aa123456 iloveyou iloveyou1 ichliebedich sunshine princess football baseball
basketball superman batman123 starwars trustno1 whatever computer internet michelle jennifer jonathan elizabeth
victoria samantha alexander christian christina maximilian sebastian katharina stefanie benjamin hello123
hellohello hallo123 hallohallo hallowelt helloworld schatz123 schatzi sommer2024 sommer2025 sommer2026 winter2024
winter2025 winter2026 fruehling herbst2025 januar2026 dezember montag123 freitag123 deutschland germany1 muenchen
hamburg1 erlangen dresden1 frankfurt bundesliga borussia bayern123 fussball schalke04 mercedes corvette porsche911
dragon123 monkey123 master123 shadow123 killer123 access14 secret123 security supersecret topsecret hospital
klinikum krankenhaus universitaet laboratory labor123 research cytometry deformability dcordcor dcor1234 dcormed1
ckanckan ckan1234 postgres oracle123 raspberry ubuntu123 debian123 linux123 windows10 microsoft
correcthorsebatterystaple p@ssw0rd p@ssword passw0rd1 zaq12wsx 1qaz2wsx qazwsxedc 147258369 159753456 789456123
987654321 55555555 66666666 77777777 88888888 99999999 22222222 33333333 44444444 123123123 123321123 112233445566
1234qwer qwer1234 poiuytrewq
"""

COMMON = frozenset(_WORDS.split())
