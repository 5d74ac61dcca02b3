import time, pytest
from tests.counsel.conftest import *
from tests.book.people import newcomer
from comity.counsel.waiting import notice
from comity.counsel.asking import ask, suppose
from comity.book.opening import names_of
from django.utils import timezone
pytestmark = pytest.mark.django_db
def test_cost(look, add):
    people=[add(newcomer(f"A{n}","T",["JP","KR","IN","BR","DE"][n%5])) for n in range(50)]
    answers=ask(question=look.question,persons=people,day=timezone.localdate())
    def best(f,n=20):
        ts=[]
        for _ in range(n):
            t=time.perf_counter(); f(); ts.append(time.perf_counter()-t)
        return round(sorted(ts)[n//2]*1000,2)
    t=time.perf_counter(); notice(question=look.question,answers=answers,day=timezone.localdate()); print("first ms",(time.perf_counter()-t)*1000)
    print("again ms",best(lambda: notice(question=look.question,answers=answers,day=timezone.localdate())))
    print("names_of ms",best(lambda: names_of(look,people)))
    from comity.counsel.questions import Question
    q=Question(operation="contact",purpose="marketing",channel="email",entity=look.entity.ref)
    print("suppose ms",best(lambda: suppose(question=q,told={"person.home":"DE"},day=timezone.localdate())))
